import type { Graph } from '../../ir/graph.ts';
import type { Node } from '../../ir/node.ts';
import { tensorType } from '../../ir/types.ts';
import { Value } from '../../ir/value.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Makes a node's output an initializer under its own name; the node gets an unread output in its place. */
export function becomeInitializer(graph: Graph, node: Node, output: number, tensor: Tensor): void {
  const value = node.outputs[output]!;
  node.setOutput(output, new Value(''));
  value.producer = undefined;
  value.tensor = tensor.name === value.name ? tensor : tensor.withName(value.name);
  value.type = tensorType(tensor.dataType, tensor.dims);
  graph.valueInfo.delete(value);
  graph.initializers.add(value);
}

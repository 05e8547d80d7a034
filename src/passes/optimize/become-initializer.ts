import type { Graph } from '../../ir/graph.ts';
import type { Node } from '../../ir/node.ts';
import { tensorType } from '../../ir/types.ts';
import { Value } from '../../ir/value.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * Makes a node's output an initializer under its own name. The node gets an unread output in its place, or goes where
 * nothing reads its other outputs.
 */
export function becomeInitializer(graph: Graph, node: Node, output: number, tensor: Tensor): void {
  const value = node.outputs[output]!;
  const isStillRead = node.outputs.some((other) => other !== value && (other.useCount > 0 || graph.isOutput(other)));
  node.setOutput(output, new Value(isStillRead ? graph.uniqueName(`${value.name}_unused`) : ''));
  if (!isStillRead) graph.remove(node);
  value.producer = undefined;
  value.tensor = tensor.name === value.name ? tensor : tensor.withName(value.name);
  value.type = tensorType(tensor.dataType, tensor.dims);
  graph.valueInfo.delete(value);
  graph.initializers.add(value);
}

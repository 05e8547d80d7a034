import type { Node } from '../../ir/node.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { type Pass, passResult } from '../pass.ts';
import { becomeInitializer } from './become-initializer.ts';
import { Rewriter } from './rewriter.ts';

/** Constants of subgraphs with fewer elements are shapes and scalars, which nothing is gained by moving. */
const FEWEST_WEIGHTS = 1024;

/**
 * Turns Constant nodes into initializers of the same name: all of the main graph, and those of subgraphs that hold weights. Sparse
 * and string constants stay nodes.
 */
export function liftConstants(): Pass {
  return {
    name: 'lift-constants',
    run(model) {
      const rewriter = new Rewriter(model);
      for (const node of model.graph.nodes()) {
        if (!node.is('Constant') || rewriter.isOutput(node.output)) continue;
        const tensor = constantTensor(node);
        if (tensor === undefined) continue;
        rewriter.report('lift-constant', node);
        becomeInitializer(rewriter.graph, node, 0, tensor);
      }
      for (const graph of model.graph.allGraphs()) {
        if (graph === model.graph) continue;
        for (const node of graph.nodes()) {
          if (!node.is('Constant') || graph.isOutput(node.output)) continue;
          const tensor = constantTensor(node);
          if (tensor === undefined || tensor.elementCount < FEWEST_WEIGHTS) continue;
          rewriter.report('lift-constant', node);
          becomeInitializer(graph, node, 0, tensor);
        }
      }
      return passResult(rewriter.changes);
    },
  };
}

function constantTensor(node: Node): Tensor | undefined {
  const { name } = node.output;
  const tensor = node.tensor('value');
  if (tensor !== undefined) return tensor.dataType === DataType.string ? undefined : tensor.withName(name);
  const int = node.attribute('value_int', 'int')?.value;
  if (int !== undefined) return Tensor.int64(name, [], [int]);
  const ints = node.attribute('value_ints', 'ints')?.value;
  if (ints !== undefined) return Tensor.int64(name, [ints.length], ints);
  const float = node.float('value_float');
  if (float !== undefined) return Tensor.float32(name, [], [float]);
  const floats = node.attribute('value_floats', 'floats')?.value;
  return floats === undefined ? undefined : Tensor.float32(name, [floats.length], floats);
}

import { type Pass, type PassChange, passResult } from '../pass.ts';
import { addRealWeights } from './real-weights.ts';
import { takeName } from './take-name.ts';
import { storedBehind } from './take-stored-weights.ts';

/**
 * Spells out every DequantizeLinear of constant int8 as Cast and Mul, which the engine computes once: then it runs the kernels
 * of the float model, whatever it would have made of a DequantizeLinear.
 */
export function foldDequantizers(): Pass {
  return {
    name: 'fold-dequantizers',
    run({ graph }) {
      const changes: PassChange[] = [];
      for (const node of [...graph.nodes()]) {
        const stored = node.is('DequantizeLinear') ? storedBehind(node.output) : undefined;
        if (stored === undefined || graph.isOutput(node.output)) continue;
        const original = node.input(0);
        const { real, integers } = addRealWeights(graph, node, stored, { prefix: `f${changes.length}`, form: 'fold' });
        node.output.replaceAllUsesWith(real);
        graph.remove(node);
        takeName(graph, original, integers);
        changes.push({ kind: 'fold-dequantizer', subject: integers.name });
      }
      for (const value of graph.initializers) {
        if (value.useCount === 0 && !graph.isOutput(value)) graph.initializers.delete(value);
      }
      return passResult(changes);
    },
  };
}

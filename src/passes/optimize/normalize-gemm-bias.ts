import { tensorType } from '../../ir/types.ts';
import { type Pass, type PassChange, passResult } from '../pass.ts';

/**
 * Gives constant biases of Gemm that have the shape [1, n] the shape [n]: broadcasting makes no difference, and
 * quantizers expect one axis.
 * @example normalizeGemmBias()
 */
export function normalizeGemmBias(): Pass {
  return {
    name: 'normalize-gemm-bias',
    run(model) {
      const changes: PassChange[] = [];
      const inputs = new Set(model.graph.inputs);
      for (const graph of model.graph.allGraphs()) {
        for (const node of graph.nodes()) {
          const bias = node.is('Gemm') ? node.input(2) : undefined;
          const tensor = bias?.tensor;
          if (bias === undefined || tensor === undefined || inputs.has(bias)) continue;
          if (tensor.dims.length !== 2 || tensor.dims[0] !== 1) continue;
          const flat = tensor.withDims([tensor.dims[1]!]);
          if (bias.useCount === 1 && graph.initializers.has(bias) && !graph.isOutput(bias)) {
            bias.tensor = flat;
            bias.type = tensorType(flat.dataType, flat.dims);
          } else {
            node.setInput(2, graph.addInitializer(flat));
          }
          changes.push({ kind: 'normalize-gemm-bias', subject: node.name || node.output.name, detail: bias.name });
        }
      }
      return passResult(changes);
    },
  };
}

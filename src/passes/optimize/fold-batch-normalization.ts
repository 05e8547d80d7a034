import type { Node } from '../../ir/node.ts';
import { DataType } from '../../tensor/data-type.ts';
import { type Pass, passResult } from '../pass.ts';
import { type Affine, absorbIntoConsumer, absorbIntoProducer } from './absorb-affine.ts';
import { Rewriter } from './rewriter.ts';

/**
 * Folds batch normalizations into the Conv, ConvTranspose, Gemm or MatMul before them, or into the one behind them
 * (a Conv only if it does not pad). The product is rounded to float32 once; results differ by rounding.
 */
export function foldBatchNormalization(): Pass {
  return {
    name: 'fold-batch-normalization',
    run(model) {
      const rewriter = new Rewriter(model);
      for (const node of model.graph.nodes()) {
        const affine = inferenceMap(rewriter, node);
        const input = node.input(0);
        if (affine === undefined || input === undefined) continue;
        const before = rewriter.soleProducer(input, 'Conv', 'ConvTranspose', 'Gemm', 'MatMul');
        if (before !== undefined && absorbIntoProducer(rewriter, before, affine)) {
          rewriter.bypass(node, input, 'fold-batch-normalization', `into ${before.name || before.output.name}`);
          continue;
        }
        const after = rewriter.soleConsumer(node.output);
        if (after === undefined || after.input(0) !== node.output || !after.is('Conv', 'Gemm', 'MatMul')) continue;
        if (absorbIntoConsumer(rewriter, after, affine)) {
          rewriter.bypass(node, input, 'fold-batch-normalization', `into ${after.name || after.output.name}`);
        }
      }
      return passResult(rewriter.changes);
    },
  };
}

/** The affine map a batch normalization is at inference; undefined for one that learns or has computed parameters. */
function inferenceMap(rewriter: Rewriter, node: Node): Affine | undefined {
  if (!node.is('BatchNormalization') || node.int('training_mode', 0) !== 0 || node.int('spatial', 1) === 0)
    return undefined;
  if (node.outputs.slice(1).some((value) => value.useCount > 0 || rewriter.isOutput(value))) return undefined;
  const tensors = [1, 2, 3, 4].map((i) => rewriter.constant(node.input(i)));
  if (tensors.some((tensor) => tensor?.dataType !== DataType.float32)) return undefined;
  const [scale, bias, mean, variance] = tensors.map((tensor) => tensor!.toFloat32()) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const epsilon = node.float('epsilon', 1e-5);
  const factor = Float64Array.from(scale, (s, c) => s / Math.sqrt(variance[c]! + epsilon));
  const offset = Float64Array.from(factor, (f, c) => bias[c]! - mean[c]! * f);
  return factor.every(Number.isFinite) && offset.every(Number.isFinite) ? { factor, offset } : undefined;
}

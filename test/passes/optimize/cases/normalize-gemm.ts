import { normalizeGemm } from '../../../../src/passes/optimize/normalize-gemm.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = normalizeGemm;

export const cases = {
  'alpha-and-beta-go-into-the-constants': () => {
    const b = new GraphBuilder();
    const bias = b.float('c', [1, 2], [1, -2]);
    const attributes = { alpha: { float: 0.5 }, beta: { float: 2 } };
    const first = b.op('Gemm', [b.input('x', ['N', 3]), b.weight('w', [3, 2]), bias], { name: 'first', attributes });
    return b.output(
      b.op('Gemm', [first, b.weight('v', [4, 2])], { name: 'second', attributes: { transB: 1, alpha: { float: 3 } } }),
    );
  },
  'shared-weights-stay-and-scalars-spread': () => {
    const b = new GraphBuilder();
    const weights = b.weight('w', [3, 3]);
    const bias = b.float('c', [], [0.25]);
    const first = b.op('Gemm', [b.input('x', ['N', 3]), weights, bias], { attributes: { alpha: { float: 0.5 } } });
    return b.output(b.op('Gemm', [first, weights, bias]));
  },
  'what-is-not-constant-stays-scaled': () => {
    const b = new GraphBuilder();
    const attributes = { alpha: { float: 0.5 }, beta: { float: 0.25 } };
    return b.output(b.op('Gemm', [b.input('x', [2, 2]), b.input('y', [2, 2]), b.input('z', [2, 2])], { attributes }));
  },
};

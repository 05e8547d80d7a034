import { foldBatchNormalization } from '../../../../src/passes/optimize/fold-batch-normalization.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = foldBatchNormalization;

export const cases = {
  'into-conv-with-bias': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 4, 6, 6]);
    const conv = b.op('Conv', [x, b.weight('w', [8, 2, 3, 3]), b.weight('b', [8])], {
      attributes: { group: 2, pads: [1, 1, 1, 1] },
    });
    return b.output(b.op('Relu', [b.batchNormalization('bn', conv, 8)]));
  },
  'into-conv-without-bias-as-output': () => {
    const b = new GraphBuilder();
    const conv = b.op('Conv', [b.input('x', ['N', 3, 5, 5]), b.weight('w', [4, 3, 1, 1])]);
    return b.output(b.batchNormalization('bn', conv, 4), undefined, 'y');
  },
  'into-grouped-conv-transpose': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 4, 5, 5]);
    const conv = b.op('ConvTranspose', [x, b.weight('w', [4, 3, 2, 2])], { attributes: { group: 2, strides: [2, 2] } });
    return b.output(b.batchNormalization('bn', conv, 6));
  },
  'into-gemm-with-alpha-and-beta': () => {
    const b = new GraphBuilder();
    const gemm = b.op('Gemm', [b.input('x', ['N', 6]), b.weight('w', [5, 6]), b.weight('b', [1, 5])], {
      attributes: { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } },
    });
    return b.output(b.batchNormalization('bn', gemm, 5));
  },
  'into-matmul-which-becomes-gemm': () => {
    const b = new GraphBuilder();
    const product = b.op('MatMul', [b.input('x', ['N', 6]), b.weight('w', [6, 5])]);
    return b.output(b.batchNormalization('bn', product, 5));
  },
  'into-the-conv-behind-it': () => {
    const b = new GraphBuilder();
    const bn = b.batchNormalization('bn', b.op('Relu', [b.input('x', ['N', 4, 6, 6])]), 4);
    return b.output(b.op('Conv', [bn, b.weight('w', [6, 2, 3, 3])], { attributes: { group: 2 } }));
  },
  'into-the-gemm-behind-it': () => {
    const b = new GraphBuilder();
    const bn = b.batchNormalization('bn', b.op('Relu', [b.input('x', ['N', 6])]), 6);
    return b.output(
      b.op('Gemm', [bn, b.weight('w', [6, 3]), b.weight('b', [3])], { attributes: { alpha: { float: 2 } } }),
    );
  },
  'kept-before-a-padded-conv': () => {
    const b = new GraphBuilder();
    const bn = b.batchNormalization('bn', b.op('Relu', [b.input('x', ['N', 4, 6, 6])]), 4);
    return b.output(b.op('Conv', [bn, b.weight('w', [6, 4, 3, 3])], { attributes: { pads: [1, 1, 1, 1] } }));
  },
  'kept-where-the-conv-has-another-reader': () => {
    const b = new GraphBuilder();
    const conv = b.op('Conv', [b.input('x', ['N', 3, 5, 5]), b.weight('w', [4, 3, 1, 1])]);
    return b.output(b.op('Add', [b.batchNormalization('bn', conv, 4), conv]));
  },
  'kept-where-convs-share-their-weight': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 3, 5, 5]);
    const w = b.weight('w', [3, 3, 1, 1]);
    const first = b.batchNormalization('bn1', b.op('Conv', [x, w], { name: 'c1' }), 3);
    return b.output(b.batchNormalization('bn2', b.op('Conv', [first, w], { name: 'c2' }), 3));
  },
};

import { foldAffine } from '../../../../src/passes/optimize/fold-affine.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = foldAffine;

export const cases = {
  'bias-of-a-conv': () => {
    const b = new GraphBuilder(8, 4);
    const conv = b.op('Conv', [b.input('x', [1, 3, 6, 6]), b.weight('w', [4, 3, 3, 3])]);
    return b.output(b.op('Add', [conv, b.weight('plus', [4, 1, 1])]));
  },
  'scale-and-shift-of-a-conv': () => {
    const b = new GraphBuilder();
    const conv = b.op('Conv', [b.input('x', ['N', 3, 6, 6]), b.weight('w', [4, 3, 3, 3]), b.weight('b', [4])]);
    const scaled = b.op('Mul', [b.weight('scale', [1, 4, 1, 1]), conv]);
    return b.output(b.op('Sub', [b.op('Div', [scaled, b.float('two', [], [2])]), b.weight('shift', [4, 1, 1])]));
  },
  'constant-minus-conv': () => {
    const b = new GraphBuilder();
    const conv = b.op('Conv', [b.input('x', ['N', 3, 6, 6]), b.weight('w', [4, 3, 3, 3])]);
    return b.output(b.op('Sub', [b.float('one', [1], [1]), conv]));
  },
  'matmul-and-add-become-gemm': () => {
    const b = new GraphBuilder();
    const product = b.op('MatMul', [b.input('x', ['N', 6]), b.weight('w', [6, 5])]);
    return b.output(b.op('Add', [b.weight('bias', [1, 5]), product]));
  },
  'batched-matmul-is-kept-for-attention-fusions': () => {
    const b = new GraphBuilder();
    const product = b.op('MatMul', [b.input('x', ['N', 'T', 6]), b.weight('w', [6, 5])]);
    return b.output(b.op('Add', [b.weight('bias', [5]), product]));
  },
  'constant-per-position-is-kept': () => {
    const b = new GraphBuilder();
    const conv = b.op('Conv', [b.input('x', ['N', 3, 4, 4]), b.weight('w', [4, 3, 1, 1])]);
    return b.output(b.op('Add', [conv, b.weight('map', [1, 1, 4, 4])]));
  },
  'input-normalization-before-a-padded-conv': () => {
    const b = new GraphBuilder();
    const centred = b.op('Sub', [b.input('x', ['N', 3, 6, 6]), b.float('mean', [3, 1, 1], [0.4, 0.5, 0.6])]);
    const scaled = b.op('Div', [centred, b.float('std', [3, 1, 1], [0.2, 0.25, 0.3])]);
    return b.output(b.op('Conv', [scaled, b.weight('w', [4, 3, 3, 3])], { attributes: { pads: [1, 1, 1, 1] } }));
  },
  'input-normalization-before-an-unpadded-conv': () => {
    const b = new GraphBuilder();
    const scaled = b.op('Mul', [b.input('x', ['N', 3, 6, 6]), b.float('s', [], [0.0078125])]);
    const centred = b.op('Add', [scaled, b.float('c', [], [-1])]);
    return b.output(b.op('Conv', [centred, b.weight('w', [4, 3, 3, 3])]));
  },
};

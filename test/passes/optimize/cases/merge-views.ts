import { mergeViews } from '../../../../src/passes/optimize/merge-views.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = mergeViews;

export const cases = {
  'unsqueeze-and-squeeze': () => {
    const b = new GraphBuilder();
    const up = b.op('Unsqueeze', [b.op('Relu', [b.input('x', ['N', 'T', 4])]), b.ints('axes', [2])]);
    return b.output(b.op('Tanh', [b.op('Squeeze', [up, b.ints('again', [-2])])]));
  },
  'reshape-behind-reshape': () => {
    const b = new GraphBuilder();
    const first = b.op('Reshape', [b.input('x', ['N', 3, 4, 4]), b.ints('s1', [0, 0, 16])], { name: 'first' });
    const second = b.op('Reshape', [first, b.ints('s2', [0, 48])], { name: 'second' });
    return b.output(b.op('Tanh', [second]));
  },
  'copied-size-that-is-elsewhere-now': () => {
    const b = new GraphBuilder();
    const first = b.op('Reshape', [b.input('x', ['N', 3, 4, 4]), b.ints('s1', [-1, 4, 12])], { name: 'first' });
    const second = b.op('Reshape', [first, b.ints('s2', [0, 0, 3, 4])], { name: 'second' });
    return b.output(b.op('Tanh', [second]));
  },
  'transpose-of-a-single-pixel': () => {
    const b = new GraphBuilder();
    const pooled = b.op('GlobalAveragePool', [b.input('x', ['N', 5, 4, 4])]);
    const last = b.op('Transpose', [pooled], { attributes: { perm: [0, 2, 3, 1] } });
    return b.output(b.op('Tanh', [b.op('Reshape', [last, b.ints('s', [-1, 5])])]));
  },
  'squeeze-behind-the-transpose-of-a-pixel': () => {
    const b = new GraphBuilder();
    const pooled = b.op('GlobalAveragePool', [b.input('x', ['N', 5, 4, 4])]);
    const last = b.op('Transpose', [pooled], { attributes: { perm: [0, 2, 3, 1] } });
    return b.output(b.op('Tanh', [b.op('Squeeze', [last, b.ints('axes', [1, 2])])]));
  },
  'two-unsqueezes-stay-for-mask-fusions': () => {
    const b = new GraphBuilder();
    const first = b.op('Unsqueeze', [b.input('mask', ['N', 'T']), b.ints('one', [1])], { name: 'first' });
    return b.output(b.op('Tanh', [b.op('Unsqueeze', [first, b.ints('two', [2])], { name: 'second' })]));
  },
  'transpose-of-an-image-stays': () => {
    const b = new GraphBuilder();
    const last = b.op('Transpose', [b.input('x', ['N', 5, 4, 4])], { attributes: { perm: [0, 2, 3, 1] } });
    return b.output(b.op('Tanh', [b.op('Reshape', [last, b.ints('s', [-1, 80])])]));
  },
};

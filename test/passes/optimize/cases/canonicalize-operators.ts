import { canonicalizeOperators } from '../../../../src/passes/optimize/canonicalize-operators.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = canonicalizeOperators;

export const cases = {
  'sum-of-two': () => {
    const b = new GraphBuilder();
    return b.output(b.op('Sum', [b.input('x', ['N', 4]), b.input('y', [1, 4])]));
  },
  'relu6-of-min-and-max': () => {
    const b = new GraphBuilder();
    const capped = b.op('Min', [b.input('x', ['N', 4]), b.float('six', [], [0.6])]);
    return b.output(b.op('Max', [b.float('zero', [1], [0]), capped]));
  },
  'clips-that-do-not-overlap': () => {
    const b = new GraphBuilder();
    const low = b.op('Clip', [b.input('x', ['N', 4]), undefined, b.float('a', [], [0.1])]);
    return b.output(b.op('Clip', [low, b.float('b', [], [0.2]), b.float('c', [], [0.3])]));
  },
  'bounds-that-stretch-the-data-stay': () => {
    const b = new GraphBuilder();
    return b.output(b.op('Max', [b.input('x', [4]), b.float('zero', [1, 1], [0])]));
  },
  'mean-over-height-and-width': () => {
    const b = new GraphBuilder();
    return b.output(b.op('ReduceMean', [b.input('x', ['N', 3, 4, 5])], { attributes: { axes: [-1, 2] } }));
  },
  'other-means-stay': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 3, 4, 5]);
    b.output(b.op('ReduceMean', [x], { attributes: { axes: [2, 3], keepdims: 0 } }));
    return b.output(b.op('ReduceMean', [x], { attributes: { axes: [-1] } }));
  },
};

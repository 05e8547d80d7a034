import { deduplicateInitializers } from '../../../../src/passes/optimize/deduplicate-initializers.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = deduplicateInitializers;

export const cases = {
  'equal-constants-become-one': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 2]);
    const first = b.op('Add', [x, b.float('a', [2], [1, 2])]);
    const second = b.op('Mul', [first, b.float('b', [2], [1, 2])]);
    return b.output(b.op('Sub', [second, b.float('other', [1, 2], [1, 2])]));
  },
};

import { mergeTransposes } from '../../../../src/passes/optimize/merge-transposes.ts';
import { DataType } from '../../../../src/tensor/data-type.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = mergeTransposes;

export const cases = {
  'there-and-back': () => {
    const b = new GraphBuilder();
    const x = b.op('Relu', [b.input('x', ['N', 3, 4, 5])]);
    const there = b.op('Transpose', [x], { name: 'there', attributes: { perm: [0, 2, 3, 1] } });
    const back = b.op('Transpose', [there], { name: 'back', attributes: { perm: [0, 3, 1, 2] } });
    return b.output(b.op('Tanh', [back]));
  },
  'two-become-one': () => {
    const b = new GraphBuilder();
    const first = b.op('Transpose', [b.input('x', ['N', 3, 4])], { name: 'first' });
    return b.output(b.op('Transpose', [first], { name: 'second', attributes: { perm: [0, 2, 1] } }));
  },
  'two-stay-where-the-first-is-read-elsewhere': () => {
    const b = new GraphBuilder();
    const first = b.op('Transpose', [b.input('x', ['N', 3, 4])], { name: 'first', attributes: { perm: [1, 0, 2] } });
    b.output(b.op('Tanh', [first]));
    return b.output(b.op('Transpose', [first], { name: 'second', attributes: { perm: [0, 2, 1] } }));
  },
  'casts-that-widen-first': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 3], DataType.int32);
    const wide = b.op('Cast', [x], { name: 'wide', attributes: { to: DataType.int64 } });
    return b.output(b.op('Cast', [wide], { name: 'float', attributes: { to: DataType.float32 } }));
  },
  'casts-that-narrow-first-stay': () => {
    const b = new GraphBuilder();
    const narrow = b.op('Cast', [b.input('x', ['N', 3])], { name: 'narrow', attributes: { to: DataType.int32 } });
    return b.output(b.op('Cast', [narrow], { name: 'wide', attributes: { to: DataType.float32 } }));
  },
};

import { eliminateCommonSubexpressions } from '../../../../src/passes/optimize/eliminate-common-subexpressions.ts';
import { DataType } from '../../../../src/tensor/data-type.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = eliminateCommonSubexpressions;

export const cases = {
  'equal-chains-become-one': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 4]);
    const chain = (name: string) =>
      b.op('Exp', [b.op('LeakyRelu', [x], { name, attributes: { alpha: { float: 0.1 } } })]);
    return b.output(b.op('Add', [chain('a'), chain('b')]));
  },
  'other-attributes-and-public-names-stay': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 4]);
    const a = b.op('LeakyRelu', [x], { name: 'a', attributes: { alpha: { float: 0.1 } } });
    const c = b.op('LeakyRelu', [x], { name: 'c', attributes: { alpha: { float: 0.2 } } });
    b.output(b.op('Add', [a, c]));
    return b.output(b.op('LeakyRelu', [x], { name: 'public', attributes: { alpha: { float: 0.1 } } }));
  },
  'random-nodes-stay': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 4]);
    const noise = (name: string) => b.op('RandomUniformLike', [x], { name });
    const difference = b.op('Sub', [noise('a'), noise('b')]);
    return b.output(b.op('Shape', [difference]), [2], 'y', DataType.int64);
  },
};

import type { Value } from '../../../../src/ir/value.ts';
import { cancelTransposes } from '../../../../src/passes/optimize/cancel-transposes.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = cancelTransposes;

const last = (b: GraphBuilder, x: Value, name = 'to_last') =>
  b.op('Transpose', [x], { name, attributes: { perm: [0, 2, 3, 1] } });
const first = (b: GraphBuilder, x: Value, name = 'to_first') =>
  b.op('Transpose', [x], { name, attributes: { perm: [0, 3, 1, 2] } });

export const cases = {
  'around-activations-and-constants': () => {
    const b = new GraphBuilder();
    let x = last(b, b.input('x', ['N', 3, 4, 5]));
    x = b.op('Add', [x, b.float('bias', [3], [1, 2, 3])]);
    x = b.op('Mul', [b.weight('map', [4, 5, 1]), b.op('Relu', [x])]);
    x = b.op('Clip', [x, b.float('low', [], [0]), b.float('high', [], [4])]);
    return b.output(b.op('Tanh', [first(b, x)]));
  },
  'around-a-residual-and-a-concat': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 3, 4, 5]);
    const left = b.op('Relu', [last(b, x, 'a')]);
    const right = b.op('Sigmoid', [last(b, b.op('Exp', [x]), 'b')]);
    const sum = b.op('Add', [left, right]);
    const joined = b.op('Concat', [sum, right], { attributes: { axis: -1 } });
    b.output(b.op('Tanh', [first(b, sum, 'c')]));
    return b.output(b.op('Tanh', [first(b, joined, 'd')]));
  },
  'kept-where-one-operand-has-no-transpose': () => {
    const b = new GraphBuilder();
    const x = last(b, b.input('x', ['N', 3, 4, 5]));
    return b.output(b.op('Tanh', [first(b, b.op('Add', [x, b.input('y', ['N', 4, 5, 3])]))]));
  },
  'kept-where-the-layout-is-read-elsewhere': () => {
    const b = new GraphBuilder();
    const relu = b.op('Relu', [last(b, b.input('x', ['N', 3, 4, 5]))]);
    b.output(b.op('Softmax', [relu]));
    return b.output(b.op('Tanh', [first(b, relu)]));
  },
  'kept-where-a-public-output-is-between': () => {
    const b = new GraphBuilder();
    const relu = b.op('Relu', [last(b, b.input('x', ['N', 3, 4, 5]))], { outputs: ['public'] });
    b.output(relu);
    return b.output(b.op('Tanh', [first(b, relu)]));
  },
};

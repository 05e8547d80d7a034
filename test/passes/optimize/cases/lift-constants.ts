import { liftConstants } from '../../../../src/passes/optimize/lift-constants.ts';
import { Tensor } from '../../../../src/tensor/tensor.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = liftConstants;

export const cases = {
  'constants-of-all-forms': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 4]);
    const shape = b.op('Constant', [], { name: 'ints', attributes: { value_ints: [2, -1] } });
    const scale = b.op('Constant', [], { name: 'float', attributes: { value_float: { float: 0.5 } } });
    const bias = b.constant('tensor', Tensor.float32('', [4], [1, 2, 3, 4]));
    return b.output(b.op('Reshape', [b.op('Add', [b.op('Mul', [x, scale]), bias]), shape]));
  },
};

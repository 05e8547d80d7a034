import { removeIdentities } from '../../../../src/passes/optimize/remove-identities.ts';
import { DataType } from '../../../../src/tensor/data-type.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = removeIdentities;

export const cases = {
  'everything-that-does-nothing': () => {
    const b = new GraphBuilder();
    let x = b.op('Relu', [b.input('x', ['N', 3, 4, 4])], { name: 'first' });
    x = b.op('Identity', [x]);
    x = b.op('Dropout', [x, b.float('ratio', [], [0.5])]);
    x = b.op('Cast', [x], { attributes: { to: DataType.float32 } });
    x = b.op('Reshape', [x, b.ints('shape', [0, 3, 4, 4])]);
    x = b.op('Transpose', [x], { attributes: { perm: [0, 1, 2, 3] } });
    x = b.op('Concat', [x], { attributes: { axis: 1 } });
    x = b.op('Slice', [x, b.ints('starts', [0]), b.ints('ends', [2 ** 40]), b.ints('axes', [2])]);
    x = b.op('Pad', [x, b.ints('pads', [0, 0, 0, 0, 0, 0, 0, 0])]);
    x = b.op('Add', [b.float('zero', [1, 3, 1, 1], [0, 0, 0]), x]);
    x = b.op('Div', [x, b.float('one', [], [1])]);
    x = b.op('Clip', [x]);
    x = b.op('Relu', [x], { name: 'second' });
    x = b.op('Expand', [x, b.ints('target', [1, 1, 4, 1])]);
    x = b.op('Tile', [x, b.ints('repeats', [1, 1, 1, 1])]);
    return b.output(b.op('Tanh', [x]));
  },
  'a-public-name-is-kept': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 4]);
    return b.output(b.op('Identity', [b.op('Tanh', [x])], { outputs: ['y'] }));
  },
  'between-input-and-output-it-stays': () => {
    const b = new GraphBuilder();
    return b.output(b.op('Identity', [b.input('x', ['N', 4])], { outputs: ['y'] }));
  },
  'two-outputs-of-one-value-stay': () => {
    const b = new GraphBuilder();
    const tanh = b.op('Tanh', [b.input('x', ['N', 4])]);
    b.output(tanh);
    return b.output(b.op('Identity', [tanh], { outputs: ['same'] }));
  },
  'broadcasting-neutral-constants-stay': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 1]);
    return b.output(b.op('Add', [b.op('Tanh', [x]), b.float('zeros', [1, 3], [0, 0, 0])]));
  },
  'relu-before-a-clip-from-zero': () => {
    const b = new GraphBuilder();
    const relu = b.op('Relu', [b.input('x', ['N', 4])]);
    return b.output(b.op('Clip', [relu, b.float('low', [], [0]), b.float('high', [], [0.3])]));
  },
  'reversed-slices-and-unknown-shapes-stay': () => {
    const b = new GraphBuilder();
    const x = b.input('x', [1, 4]);
    const ends = b.ints('ends', [-(2 ** 40)]);
    const reversed = b.op('Slice', [x, b.ints('starts', [-1]), ends, b.ints('axes', [1]), b.ints('steps', [-1])]);
    return b.output(b.op('Reshape', [reversed, b.input('shape', [2], DataType.int64)]));
  },
};

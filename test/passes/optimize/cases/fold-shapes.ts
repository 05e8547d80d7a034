import { foldShapes } from '../../../../src/passes/optimize/fold-shapes.ts';
import { DataType } from '../../../../src/tensor/data-type.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = foldShapes;

export const cases = {
  'flatten-as-exporters-write-it': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['batch', 3, 4, 4]);
    const batch = b.op('Gather', [b.op('Shape', [x]), b.ints('zero', [0], [])], { attributes: { axis: 0 } });
    const first = b.op('Unsqueeze', [batch, b.ints('axes', [0])]);
    const shape = b.op('Concat', [first, b.ints('rest', [-1])], { attributes: { axis: 0 } });
    return b.output(b.op('Reshape', [x, shape]));
  },
  'heads-of-an-attention': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 'T', 12]);
    const shape = b.op('Shape', [x]);
    const dims = b.op('Slice', [shape, b.ints('starts', [0]), b.ints('ends', [2])]);
    const target = b.op('Concat', [dims, b.ints('heads', [3, 4])], { attributes: { axis: 0 } });
    const heads = b.op('Transpose', [b.op('Reshape', [x, target], { name: 'split' })], {
      attributes: { perm: [0, 2, 1, 3] },
    });
    const back = b.op('Transpose', [heads], { name: 'back', attributes: { perm: [0, 2, 1, 3] } });
    const joined = b.op('Concat', [dims, b.ints('width', [12])], { name: 'joined', attributes: { axis: 0 } });
    return b.output(b.op('Reshape', [back, joined], { name: 'join' }));
  },
  'batch-times-time-leaves-one-open': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 'T', 6]);
    const [n, t] = [0, 1].map((i) => b.op('Gather', [b.op('Shape', [x]), b.ints(`i${i}`, [i])], { name: `g${i}` }));
    const shape = b.op('Concat', [b.op('Mul', [n!, t!]), b.ints('six', [6])], { attributes: { axis: 0 } });
    return b.output(b.op('Reshape', [x, shape]));
  },
  'two-open-sizes-stay': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 'T', 6]);
    const shape = b.op('Shape', [x]);
    const swapped = b.op('Gather', [shape, b.ints('order', [1, 0, 2])]);
    return b.output(b.op('Reshape', [x, swapped]));
  },
  'fixed-sizes-become-constants': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 3, 4, 5]);
    const sizes = b.op('Slice', [b.op('Shape', [x]), b.ints('from', [2]), b.ints('to', [4])]);
    const doubled = b.op('Mul', [sizes, b.ints('two', [2])]);
    const target = b.op('Concat', [b.ints('one', [1, 3]), doubled], { attributes: { axis: 0 } });
    return b.output(b.op('Expand', [b.op('ReduceMean', [x], { attributes: { axes: [2, 3] } }), target]));
  },
  'run-time-shapes-stay': () => {
    const b = new GraphBuilder();
    const shape = b.input('shape', [2], DataType.int64);
    return b.output(b.op('Reshape', [b.input('x', [1, 4]), b.op('Abs', [shape])]));
  },
};

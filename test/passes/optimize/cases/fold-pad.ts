import { foldPad } from '../../../../src/passes/optimize/fold-pad.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = foldPad;

export const cases = {
  'into-conv': () => {
    const b = new GraphBuilder();
    const pad = b.op('Pad', [b.input('x', ['N', 3, 6, 6]), b.ints('pads', [0, 0, 0, 1, 0, 0, 1, 2])]);
    return b.output(b.op('Conv', [pad, b.weight('w', [4, 3, 3, 3])], { attributes: { pads: [1, 0, 0, 0] } }));
  },
  'into-conv-over-axes': () => {
    const b = new GraphBuilder(18);
    const pad = b.op('Pad', [b.input('x', ['N', 3, 6, 6]), b.ints('pads', [1, 1]), undefined, b.ints('axes', [-1])]);
    return b.output(b.op('Conv', [pad, b.weight('w', [4, 3, 3, 3])]));
  },
  'into-two-convs': () => {
    const b = new GraphBuilder(10);
    const pad = b.op('Pad', [b.input('x', ['N', 3, 6, 6])], { attributes: { pads: [0, 0, 1, 1, 0, 0, 1, 1] } });
    const left = b.op('Conv', [pad, b.weight('w1', [4, 3, 3, 3])], { name: 'left' });
    return b.output(b.op('Add', [left, b.op('Conv', [pad, b.weight('w2', [4, 3, 3, 3])], { name: 'right' })]));
  },
  'into-max-pool-of-rectified-data': () => {
    const b = new GraphBuilder();
    const relu = b.op('Relu', [b.input('x', ['N', 3, 6, 6])]);
    const pad = b.op('Pad', [relu, b.ints('pads', [0, 0, 1, 1, 0, 0, 1, 1])]);
    return b.output(b.op('MaxPool', [pad], { attributes: { kernel_shape: [3, 3], strides: [2, 2] } }));
  },
  'into-average-pool-which-then-counts-it': () => {
    const b = new GraphBuilder();
    const pad = b.op('Pad', [b.input('x', ['N', 3, 6, 6]), b.ints('pads', [0, 0, 1, 1, 0, 0, 1, 1])]);
    return b.output(b.op('AveragePool', [pad], { attributes: { kernel_shape: [3, 3] } }));
  },
  'kept-before-max-pool-of-signed-data': () => {
    const b = new GraphBuilder();
    const pad = b.op('Pad', [b.input('x', ['N', 3, 6, 6]), b.ints('pads', [0, 0, 1, 1, 0, 0, 1, 1])]);
    return b.output(b.op('MaxPool', [pad], { attributes: { kernel_shape: [3, 3] } }));
  },
  'kept-with-another-fill-or-mode-or-axis': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 3, 6, 6]);
    const pads = b.ints('pads', [0, 0, 1, 1, 0, 0, 1, 1]);
    const w = b.weight('w', [4, 3, 3, 3]);
    const ones = b.op('Pad', [x, pads, b.float('one', [], [1])], { name: 'ones' });
    const edge = b.op('Pad', [x, pads], { name: 'edge', attributes: { mode: 'edge' } });
    const channels = b.op('Pad', [x, b.ints('more', [0, 1, 0, 0, 0, 0, 0, 0])], { name: 'channels' });
    b.output(b.op('Conv', [ones, w], { name: 'a' }));
    b.output(b.op('Conv', [edge, w], { name: 'b' }));
    return b.output(b.op('Conv', [channels, b.weight('v', [4, 4, 3, 3])], { name: 'c' }));
  },
};

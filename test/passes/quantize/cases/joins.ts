import type { Value } from '../../../../src/ir/value.ts';
import { GraphBuilder } from '../../optimize/graph-builder.ts';
import type { QuantizeCases } from '../quantize-case.ts';
import { conv } from './convolutions.ts';

function image(): { builder: GraphBuilder; x: Value } {
  const builder = new GraphBuilder();
  return { builder, x: builder.input('x', ['N', 4, 8, 8]) };
}

const same = { inputs: 4, outputs: 4 };
const ends = { QuantizeLinear: 1, DequantizeLinear: 1 };

export const cases: QuantizeCases = {
  'residual block': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)]);
      const first = builder.op('Relu', [conv(builder, 'first', stem, same)]);
      const second = conv(builder, 'second', first, same);
      const sum = builder.op('Relu', [builder.op('Add', [second, stem])]);
      return builder.output(conv(builder, 'last', sum, { ...same, output: 'y' }), undefined);
    },
    kernels: { ...ends, QLinearConv: 4, QLinearAdd: 1 },
  },
  'residual block that ends the model': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)]);
      const second = conv(builder, 'second', stem, same);
      return builder.output(builder.op('Add', [second, stem], { outputs: ['y'] }), undefined);
    },
    kernels: { QuantizeLinear: 1, DequantizeLinear: 2, QLinearConv: 2, Add: 1 },
  },
  'shortcut by slices and zeros': {
    // Type A shortcut of the CIFAR residual networks: every other pixel, new channels of zeros.
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)]);
      const branch = conv(builder, 'branch', stem, { inputs: 4, outputs: 8, stride: 2 });
      const half = builder.op('Slice', [
        stem,
        builder.ints('starts', [0, 0]),
        builder.ints('ends', [99, 99]),
        builder.ints('axes', [2, 3]),
        builder.ints('steps', [2, 2]),
      ]);
      const wide = builder.op('Pad', [half, builder.ints('pads', [0, 2, 0, 0, 0, 2, 0, 0])]);
      const sum = builder.op('Relu', [builder.op('Add', [branch, wide])]);
      return builder.output(conv(builder, 'last', sum, { inputs: 8, outputs: 2, output: 'y' }), undefined);
    },
    kernels: { ...ends, QLinearConv: 3, QLinearAdd: 1, Pad: 1 },
  },
  'branches that are concatenated': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)]);
      const left = builder.op('Relu', [conv(builder, 'left', stem, { inputs: 4, outputs: 2 })]);
      const right = conv(builder, 'right', stem, { inputs: 4, outputs: 3, kernel: [1, 1], pad: 0 });
      const all = builder.op('Concat', [left, right, stem], { attributes: { axis: 1 } });
      return builder.output(conv(builder, 'last', all, { inputs: 9, outputs: 2, output: 'y' }), undefined);
    },
    kernels: { ...ends, QLinearConv: 4, QLinearConcat: 1 },
  },
  'pools and a classifier': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)]);
      const pooled = builder.op('MaxPool', [stem], { attributes: { kernel_shape: [2, 2], strides: [2, 2] } });
      const middle = builder.op('Relu', [conv(builder, 'middle', pooled, { inputs: 4, outputs: 8 })]);
      const average = builder.op('AveragePool', [middle], { attributes: { kernel_shape: [2, 2] } });
      const all = builder.op('GlobalAveragePool', [average]);
      const flat = builder.op('Flatten', [all]);
      const logits = builder.op('Gemm', [flat, builder.weight('fc.weight', [10, 8]), builder.weight('fc.bias', [10])], {
        attributes: { transB: 1 },
        outputs: ['logits'],
      });
      return builder.output(logits, ['N', 10]);
    },
    kernels: {
      QuantizeLinear: 1,
      QLinearConv: 2,
      MaxPool: 1,
      QLinearAveragePool: 1,
      QLinearGlobalAveragePool: 1,
      QGemm: 1,
    },
  },
  'sigmoid linear unit': {
    build: () => {
      const { builder, x } = image();
      const stem = conv(builder, 'stem', x, same);
      const swish = builder.op('Mul', [stem, builder.op('Sigmoid', [stem])]);
      return builder.output(conv(builder, 'last', swish, { ...same, output: 'y' }), undefined);
    },
    kernels: { ...ends, QLinearConv: 2, QLinearSigmoid: 1, QLinearMul: 1 },
  },
  'squeeze and excite': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)]);
      const mean = builder.op('GlobalAveragePool', [stem]);
      const point = { kernel: [1, 1], pad: 0 };
      const down = builder.op('Relu', [conv(builder, 'down', mean, { inputs: 4, outputs: 2, ...point })]);
      const up = conv(builder, 'up', down, { inputs: 2, outputs: 4, ...point });
      const scaled = builder.op('Mul', [stem, builder.op('Sigmoid', [up])]);
      return builder.output(conv(builder, 'last', scaled, { ...same, output: 'y' }), undefined);
    },
    kernels: { ...ends, QLinearConv: 4, QLinearGlobalAveragePool: 1, QLinearSigmoid: 1, QLinearMul: 1 },
  },
  'hard swish': {
    build: () => {
      const { builder, x } = image();
      const stem = conv(builder, 'stem', x, same);
      const swish = builder.op('HardSwish', [stem]);
      return builder.output(conv(builder, 'last', swish, { ...same, output: 'y' }), undefined);
    },
    kernels: { QuantizeLinear: 2, DequantizeLinear: 2, QLinearConv: 2, HardSigmoid: 1, Mul: 1 },
  },
  'channels last at the entrance': {
    build: () => {
      const builder = new GraphBuilder();
      const x = builder.input('x', ['N', 8, 8, 3]);
      const turned = builder.op('Transpose', [x], { attributes: { perm: [0, 3, 1, 2] } });
      const stem = builder.op('Relu', [conv(builder, 'stem', turned, { inputs: 3, outputs: 4 })]);
      const last = conv(builder, 'last', stem, same);
      return builder.output(
        builder.op('Transpose', [last], { attributes: { perm: [0, 2, 3, 1] }, outputs: ['y'] }),
        undefined,
      );
    },
    kernels: { ...ends, QLinearConv: 2 },
  },
  'enlarged by the nearest': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)]);
      const large = builder.op('Resize', [stem, undefined, builder.float('scales', [4], [1, 1, 2, 2])], {
        attributes: { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
      });
      return builder.output(conv(builder, 'last', large, { ...same, output: 'y' }), undefined);
    },
    kernels: { ...ends, QLinearConv: 2, Resize: 1 },
  },
  'split into halves, one of them shuffled': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)]);
      const [left, right] = builder.ops('Split', [stem, builder.ints('split', [2, 2])], {
        outputs: ['left_half', 'right_half'],
        attributes: { axis: 1 },
      }) as [Value, Value];
      const branch = builder.op('Relu', [conv(builder, 'branch', right, { inputs: 2, outputs: 2 })]);
      const all = builder.op('Concat', [left, branch], { attributes: { axis: 1 } });
      return builder.output(conv(builder, 'last', all, { ...same, output: 'y' }), undefined);
    },
    kernels: { ...ends, QLinearConv: 3, QLinearConcat: 1, Split: 1 },
  },
};

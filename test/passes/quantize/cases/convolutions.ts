import type { Value } from '../../../../src/ir/value.ts';
import { GraphBuilder } from '../../optimize/graph-builder.ts';
import type { QuantizeCases } from '../quantize-case.ts';

interface ConvOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel?: readonly number[];
  readonly pad?: number;
  readonly stride?: number;
  readonly group?: number;
  readonly bias?: boolean;
  readonly output?: string;
}

/** A convolution as exporters write it; 3 × 3 with padding unless said otherwise. */
export function conv(builder: GraphBuilder, name: string, x: Value, options: ConvOptions): Value {
  const { inputs, outputs, kernel = [3, 3], pad = 1, stride = 1, group = 1, bias = true } = options;
  const weights = builder.weight(`${name}.weight`, [outputs, inputs / group, ...kernel]);
  return builder.op('Conv', [x, weights, ...(bias ? [builder.weight(`${name}.bias`, [outputs])] : [])], {
    name,
    outputs: [options.output ?? `${name}_out`],
    attributes: {
      kernel_shape: kernel,
      pads: [...kernel, ...kernel].map(() => pad),
      strides: kernel.map(() => stride),
      group,
    },
  });
}

function image(channels = 3): { builder: GraphBuilder; x: Value } {
  const builder = new GraphBuilder();
  return { builder, x: builder.input('x', ['N', channels, 8, 8]) };
}

/** conv → … → conv: everything between two convolutions is integer, everything after the second is up to the case. */
function between(middle: (builder: GraphBuilder, value: Value) => Value, inputs = 4): GraphBuilder {
  const { builder, x } = image();
  const value = middle(builder, conv(builder, 'first', x, { inputs: 3, outputs: 4 }));
  return builder.output(conv(builder, 'last', value, { inputs, outputs: 4, output: 'y' }), undefined);
}

const clip = (builder: GraphBuilder, value: Value, low: number, high: number) =>
  builder.op('Clip', [value, builder.float('low', [], [low]), builder.float('high', [], [high])]);

const ends = { QuantizeLinear: 1, DequantizeLinear: 1 };

export const cases: QuantizeCases = {
  'conv, relu, conv': {
    build: () => between((builder, value) => builder.op('Relu', [value])),
    kernels: { ...ends, QLinearConv: 2 },
  },
  'clip to six': {
    build: () => between((builder, value) => clip(builder, value, 0, 6)),
    kernels: { ...ends, QLinearConv: 2 },
  },
  'clip that does not hold zero stays': {
    build: () => between((builder, value) => clip(builder, value, 0.25, 6)),
    kernels: { QuantizeLinear: 2, DequantizeLinear: 2, QLinearConv: 2, Clip: 1 },
  },
  'relu with symmetric activations stays a node': {
    build: () => between((builder, value) => builder.op('Relu', [value])),
    options: { activationType: 'int8', activationSymmetric: true },
    kernels: { QuantizeLinear: 2, DequantizeLinear: 2, QLinearConv: 2, Relu: 1 },
  },
  'signed activations with any zero point': {
    build: () => between((builder, value) => builder.op('Relu', [value])),
    options: { activationType: 'int8' },
    kernels: { ...ends, QLinearConv: 2 },
  },
  'leaky relu': {
    build: () =>
      between((builder, value) => builder.op('LeakyRelu', [value], { attributes: { alpha: { float: 0.1 } } })),
    kernels: { ...ends, QLinearConv: 2, QLinearLeakyRelu: 1 },
  },
  'without bias': {
    build: () => {
      const { builder, x } = image();
      const first = conv(builder, 'first', x, { inputs: 3, outputs: 4, bias: false });
      return builder.output(
        conv(builder, 'last', first, { inputs: 4, outputs: 4, bias: false, output: 'y' }),
        undefined,
      );
    },
    kernels: { ...ends, QLinearConv: 2 },
  },
  'in groups and by depth, with strides': {
    build: () => {
      const { builder, x } = image(4);
      const grouped = conv(builder, 'grouped', x, { inputs: 4, outputs: 8, group: 2 });
      const relu = builder.op('Relu', [grouped]);
      const depthwise = conv(builder, 'depthwise', relu, { inputs: 8, outputs: 8, group: 8, stride: 2 });
      return builder.output(
        conv(builder, 'point', depthwise, { inputs: 8, outputs: 4, kernel: [1, 1], pad: 0, output: 'y' }),
        undefined,
      );
    },
    kernels: { ...ends, QLinearConv: 3 },
  },
  'in one dimension': {
    build: () => {
      const builder = new GraphBuilder();
      const x = builder.input('x', ['N', 3, 20]);
      const first = builder.op('Relu', [conv(builder, 'first', x, { inputs: 3, outputs: 4, kernel: [5], pad: 2 })]);
      return builder.output(
        conv(builder, 'last', first, { inputs: 4, outputs: 2, kernel: [3], output: 'y' }),
        undefined,
      );
    },
    kernels: { ...ends, QLinearConv: 2 },
  },
  'in three dimensions': {
    build: () => {
      const builder = new GraphBuilder();
      const x = builder.input('x', ['N', 2, 4, 5, 6]);
      const first = conv(builder, 'first', x, { inputs: 2, outputs: 3, kernel: [3, 3, 3] });
      const relu = builder.op('Relu', [first]);
      return builder.output(
        conv(builder, 'last', relu, { inputs: 3, outputs: 2, kernel: [1, 3, 3], output: 'y' }),
        undefined,
      );
    },
    kernels: { ...ends, QLinearConv: 2 },
  },
  'two with the same weights': {
    build: () => {
      const { builder, x } = image(4);
      const weights = builder.weight('shared.weight', [4, 4, 3, 3]);
      const bias = builder.weight('shared.bias', [4]);
      const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
      const first = builder.op('Relu', [builder.op('Conv', [x, weights, bias], { name: 'first', attributes })]);
      return builder.output(
        builder.op('Conv', [first, weights, bias], { name: 'second', attributes, outputs: ['y'] }),
        undefined,
      );
    },
    kernels: { ...ends, QLinearConv: 2 },
  },
  'one value read by two': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, { inputs: 3, outputs: 4 })]);
      builder.output(conv(builder, 'left', stem, { inputs: 4, outputs: 2, output: 'a' }), undefined);
      return builder.output(conv(builder, 'right', stem, { inputs: 4, outputs: 2, output: 'b' }), undefined);
    },
    kernels: { QuantizeLinear: 1, DequantizeLinear: 2, QLinearConv: 3 },
  },
  'a normalization folded in front of a relu with two readers': {
    // Pre-activation: the sum goes on in float width to the next addition, its rectified form to the convolution.
    build: () => {
      const { builder, x } = image(4);
      const stem = conv(builder, 'stem', x, { inputs: 4, outputs: 4 });
      const scaled = builder.op('Mul', [stem, builder.weight('bn.scale', [4, 1, 1], 0.5, 1.5)]);
      const moved = builder.op('Add', [scaled, builder.weight('bn.shift', [4, 1, 1])]);
      const relu = builder.op('Relu', [moved]);
      const branch = conv(builder, 'branch', relu, { inputs: 4, outputs: 4 });
      const sum = builder.op('Add', [branch, relu], { name: 'join' });
      return builder.output(conv(builder, 'last', sum, { inputs: 4, outputs: 2, output: 'y' }), undefined);
    },
    kernels: { ...ends, QLinearConv: 3, QLinearMul: 1, QLinearAdd: 2 },
  },
  'excluded by name': {
    build: () => between((builder, value) => builder.op('Relu', [value])),
    options: { nodesToExclude: ['la*'] },
    kernels: { ...ends, QLinearConv: 1, Conv: 1 },
  },
  'for processors that saturate': {
    build: () => between((builder, value) => builder.op('Relu', [value])),
    options: { saturating: true },
    kernels: { ...ends, QLinearConv: 2 },
  },
};

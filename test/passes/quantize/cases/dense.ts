import type { Value } from '../../../../src/ir/value.ts';
import { DataType } from '../../../../src/tensor/data-type.ts';
import { GraphBuilder } from '../../optimize/graph-builder.ts';
import type { QuantizeCases } from '../quantize-case.ts';

function gemm(builder: GraphBuilder, name: string, x: Value, inputs: number, outputs: number, output?: string): Value {
  const constants = [builder.weight(`${name}.weight`, [outputs, inputs]), builder.weight(`${name}.bias`, [outputs])];
  return builder.op('Gemm', [x, ...constants], {
    name,
    attributes: { transB: 1 },
    outputs: [output ?? `${name}_out`],
  });
}

/** A matrix product with the bias behind it, as transformers are exported. */
function linear(builder: GraphBuilder, name: string, x: Value, inputs: number, outputs: number): Value {
  const product = builder.op('MatMul', [x, builder.weight(`${name}.weight`, [inputs, outputs], -0.3, 0.3)], { name });
  return builder.op('Add', [builder.weight(`${name}.bias`, [outputs]), product], { name: `${name}_bias` });
}

function normalize(builder: GraphBuilder, name: string, x: Value, width: number): Value {
  const constants = [builder.weight(`${name}.scale`, [width], 0.5, 1.5), builder.weight(`${name}.shift`, [width])];
  return builder.op('LayerNormalization', [x, ...constants], { name, attributes: { axis: -1 } });
}

/** Gelu as exporters spell it out below operator set 20. */
function gelu(builder: GraphBuilder, x: Value): Value {
  const scaled = builder.op('Div', [x, builder.float('root_two', [], [Math.SQRT2])]);
  const shifted = builder.op('Add', [builder.op('Erf', [scaled]), builder.float('one', [], [1])]);
  return builder.op('Mul', [builder.op('Mul', [x, shifted]), builder.float('half', [], [0.5])]);
}

function feedForward(builder: GraphBuilder, x: Value, width: number): Value {
  const up = gelu(builder, linear(builder, 'up', x, width, 2 * width));
  return builder.op('Add', [x, linear(builder, 'down', up, 2 * width, width)], { name: 'join' });
}

function attention(builder: GraphBuilder, x: Value, width: number): Value {
  const heads = (name: string, perm: number[]) => {
    const split = builder.op('Reshape', [
      linear(builder, name, x, width, width),
      builder.ints('split', [0, 0, 2, width / 2]),
    ]);
    return builder.op('Transpose', [split], { attributes: { perm } });
  };
  const scores = builder.op('MatMul', [heads('query', [0, 2, 1, 3]), heads('key', [0, 2, 3, 1])], { name: 'scores' });
  const scaled = builder.op('Div', [scores, builder.float('root', [], [Math.sqrt(width / 2)])]);
  const weights = builder.op('Softmax', [scaled], { attributes: { axis: -1 } });
  const mixed = builder.op('MatMul', [weights, heads('value', [0, 2, 1, 3])], { name: 'mixed' });
  const turned = builder.op('Transpose', [mixed], { attributes: { perm: [0, 2, 1, 3] } });
  return linear(builder, 'out', builder.op('Reshape', [turned, builder.ints('join', [0, 0, width])]), width, width);
}

export const cases: QuantizeCases = {
  'three layers of a perceptron': {
    build: () => {
      const builder = new GraphBuilder();
      const x = builder.input('x', ['N', 16]);
      const first = builder.op('Relu', [gemm(builder, 'first', x, 16, 12)]);
      const second = builder.op('Relu', [gemm(builder, 'second', first, 12, 8)]);
      return builder.output(gemm(builder, 'third', second, 8, 4, 'y'), undefined);
    },
    kernels: { QuantizeLinear: 1, QGemm: 3 },
  },
  'two layers without an activation between them': {
    build: () => {
      const builder = new GraphBuilder();
      const first = gemm(builder, 'first', builder.input('x', ['N', 16]), 16, 12);
      return builder.output(gemm(builder, 'second', first, 12, 8, 'y'), undefined);
    },
    kernels: { QuantizeLinear: 1, QGemm: 2 },
  },
  'without bias, not transposed': {
    build: () => {
      const builder = new GraphBuilder();
      const x = builder.input('x', ['N', 16]);
      const first = builder.op('Relu', [builder.op('Gemm', [x, builder.weight('a', [16, 12])], { name: 'first' })]);
      return builder.output(
        builder.op('Gemm', [first, builder.weight('b', [12, 5])], { name: 'second', outputs: ['y'] }),
        undefined,
      );
    },
    kernels: { QuantizeLinear: 1, QGemm: 2 },
  },
  'scaled products stay in float': {
    build: () => {
      const builder = new GraphBuilder();
      const x = builder.input('x', ['N', 16]);
      const first = builder.op('Gemm', [x, builder.weight('a', [16, 12])], {
        name: 'first',
        attributes: { alpha: { float: 0.5 } },
      });
      return builder.output(gemm(builder, 'second', first, 12, 8, 'y'), undefined);
    },
    kernels: { QuantizeLinear: 1, Gemm: 1, QGemm: 1 },
  },
  'feed-forward block of a transformer': {
    build: () => {
      const builder = new GraphBuilder();
      const x = builder.input('x', ['N', 'T', 16]);
      return builder.output(normalize(builder, 'norm', feedForward(builder, x, 16), 16), undefined, 'y');
    },
    kernels: { QuantizeLinear: 2, MatMulIntegerToFloat: 2, BiasGelu: 1, Add: 1, SkipLayerNormalization: 1 },
  },
  'attention with its products in float': {
    build: () => {
      const builder = new GraphBuilder();
      const x = builder.input('x', ['N', 'T', 8]);
      return builder.output(attention(builder, x, 8), undefined, 'y');
    },
    kernels: { QuantizeLinear: 2, MatMulIntegerToFloat: 4, Add: 4, FusedMatMul: 1, Softmax: 1, MatMul: 1 },
  },
  'attention in integers': {
    build: () => {
      const builder = new GraphBuilder();
      const x = builder.input('x', ['N', 'T', 8]);
      return builder.output(attention(builder, x, 8), undefined, 'y');
    },
    options: { quantizeAttention: true },
    kernels: { QuantizeLinear: 5, MatMulIntegerToFloat: 5, Add: 4, Div: 1, Softmax: 1, QLinearMatMul: 1 },
  },
  'words looked up in a table': {
    build: () => {
      const builder = new GraphBuilder();
      const ids = builder.input('ids', ['N', 'T'], DataType.int64);
      const words = builder.op('Gather', [builder.weight('table', [256, 16]), ids], { name: 'words' });
      const places = builder.weight('places', [1, 1, 16]);
      const sum = builder.op('Add', [words, places], { name: 'sum' });
      return builder.output(linear(builder, 'head', normalize(builder, 'norm', sum, 16), 16, 4), undefined, 'y');
    },
    kernels: {
      Gather: 1,
      DequantizeLinear: 1,
      Add: 2,
      LayerNormalization: 1,
      QuantizeLinear: 1,
      MatMulIntegerToFloat: 1,
    },
  },
};

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSaturation } from '../../src/evaluation/find-saturation.ts';
import { Model } from '../../src/ir/model.ts';
import { attr, type Node } from '../../src/ir/node.ts';
import { tensorType } from '../../src/ir/types.ts';
import type { Value } from '../../src/ir/value.ts';
import { neighbourPairs, removeUnsafePairs } from '../../src/quantization/saturation.ts';
import { anyOrderPairSum, MAX_SAFE_PAIR_SUM, worstPairSum } from '../../src/quantization/worst-pair-sum.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

type Byte = typeof DataType.int8 | typeof DataType.uint8;

/** A model under construction, with quantized activations and weights at hand. */
class Builder {
  readonly model = Model.create(17, 8);
  readonly scale: Value;

  constructor() {
    this.scale = this.model.graph.addInitializer(Tensor.float32('scale', [], [0.1]));
    this.model.opsetImports.set('com.microsoft', 1);
  }

  constant(dims: readonly number[], values: readonly number[], dataType: Byte = DataType.int8): Value {
    const array = dataType === DataType.int8 ? Int8Array.from(values) : Uint8Array.from(values);
    return this.model.graph.addInitializer(Tensor.fromArray('w', dataType, dims, array));
  }

  zero(dataType: Byte): Value {
    return this.constant([], [0], dataType);
  }

  activation(dims: readonly number[], dataType: Byte = DataType.uint8): Value {
    const input = this.model.graph.addInput('x', tensorType(DataType.float32, dims));
    return this.node('QuantizeLinear', [input, this.scale, this.zero(dataType)]).output;
  }

  dequantized(value: Value): Value {
    return this.node('DequantizeLinear', [value, this.scale]).output;
  }

  node(
    opType: string,
    inputs: readonly (Value | undefined)[],
    init: Parameters<Model['graph']['create']>[2] = {},
  ): Node {
    return this.model.graph.create(opType, inputs, { name: `/${opType}`, ...init });
  }

  qdq(opType: 'Conv' | 'Gemm' | 'MatMul', x: Value, w: Value, ...attributes: ReturnType<typeof attr.int>[]): Builder {
    this.node(opType, [this.dequantized(x), this.dequantized(w)], { attributes });
    return this;
  }

  find() {
    return findSaturation(this.model);
  }
}

const image = [1, 4, 8, 8];
const row = [1, 4];

describe('the worst sum of two products', () => {
  it('is that of a search through all pairs and all extreme activations', () => {
    const channel = fc
      .record({ inputs: fc.integer({ min: 1, max: 9 }), positions: fc.constantFrom(1, 4, 9) })
      .chain((layout) =>
        fc.record({
          layout: fc.constant(layout),
          weights: fc.int8Array({
            minLength: layout.inputs * layout.positions,
            maxLength: layout.inputs * layout.positions,
          }),
        }),
      );
    fc.assert(
      fc.property(channel, ({ layout, weights }) => {
        const pairs = neighbourPairs(layout);
        let worst = 0;
        for (let i = 0; i < pairs.length; i += 2) {
          for (const a of [0, 255])
            for (const b of [0, 255])
              worst = Math.max(worst, Math.abs(a * weights[pairs[i]!]! + b * weights[pairs[i + 1]!]!));
        }
        expect(worstPairSum(weights, pairs)).toBe(worst);
        expect(anyOrderPairSum(weights)).toBeGreaterThanOrEqual(worst);
        removeUnsafePairs(weights, pairs);
        expect(worstPairSum(weights, pairs)).toBeLessThanOrEqual(MAX_SAFE_PAIR_SUM);
      }),
    );
  });

  it('in any order is that of the two largest of one sign', () => {
    expect(anyOrderPairSum(Int8Array.of(3, -100, 90, -20, 60))).toBe(150 * 255);
    expect(anyOrderPairSum(Int8Array.of(-128, -128, 127))).toBe(256 * 255);
    expect(anyOrderPairSum(Int8Array.of())).toBe(0);
  });
});

describe('findSaturation', () => {
  it('is null where nothing multiplies uint8 by int8', () => {
    expect(new Builder().find()).toBeNull();
    const float = new Builder();
    const x = float.model.graph.addInput('x', tensorType(DataType.float32, row));
    float.node('MatMul', [x, float.dequantized(float.constant([4, 1], [127, 127, 0, 0]))]);
    expect(float.find()).toBeNull();
  });

  it.each([
    { name: 'activations of uint8', type: DataType.uint8 },
    { name: 'activations of int8, which are shifted', type: DataType.int8 },
  ])('finds pairs of a MatMul with $name', ({ type }) => {
    const find = (weights: number[]) => {
      const builder = new Builder();
      return builder.qdq('MatMul', builder.activation(row, type), builder.constant([4, 2], weights)).find();
    };
    // Columns are output channels: [100, 100, 0, 0] and [0, 0, -64, -65].
    expect(find([100, 0, 100, 0, 0, -64, 0, -65])).toEqual({
      possible: true,
      where: [{ node: '/MatMul', worstPairSum: 200 * 255 }],
      on: expect.stringContaining('without VNNI'),
    });
    expect(find([64, 0, 64, 0, 0, -64, 0, -64])).toMatchObject({ possible: false, where: [] });
    // 100 and 100 are in one channel but in different pairs; 127 and -127 cancel.
    expect(find([127, 0, -127, 100, 1, 0, 100, 0])?.where).toEqual([]);
    expect(find([0, 0, 100, 0, 100, 0, 0, 0])?.where).toEqual([]);
  });

  it('follows transB, transposed constants and Identity', () => {
    const weights = [100, 100, 0, 0, 0, 0, 0, 0];
    const gemm = (transB: number, dims: number[]) => {
      const builder = new Builder();
      return builder
        .qdq('Gemm', builder.activation(row), builder.constant(dims, weights), attr.int('transB', transB))
        .find();
    };
    expect(gemm(1, [2, 4])?.possible).toBe(true);
    // Untransposed, the two 100s belong to different output channels.
    expect(gemm(0, [4, 2])?.possible).toBe(false);
    const moved = (permutation: number[] | undefined, dims: number[]) => {
      const builder = new Builder();
      const source = builder.node('Identity', [builder.dequantized(builder.constant(dims, weights))]).output;
      const attributes = permutation === undefined ? [] : [attr.ints('perm', permutation)];
      const transposed = builder.node('Transpose', [source], { attributes }).output;
      builder.node('MatMul', [builder.dequantized(builder.activation(row)), transposed]);
      return builder.find();
    };
    expect(moved([1, 0], [2, 4])?.possible).toBe(true);
    expect(moved([0, 1], [2, 4])?.possible).toBe(true);
    expect(moved([1, 0], [4, 2])?.possible).toBe(true);
  });

  it('looks at a stack of matrices and at vectors', () => {
    const stack = new Builder();
    const weights = [1, 1, 1, 1, 90, 0, 90, 0];
    expect(stack.qdq('MatMul', stack.activation([2, 1, 2]), stack.constant([2, 2, 2], weights)).find()).toMatchObject({
      where: [{ worstPairSum: 180 * 255 }],
    });
    const vector = new Builder();
    expect(vector.qdq('MatMul', vector.activation(row), vector.constant([4], [90, 90, 0, 0])).find()?.possible).toBe(
      true,
    );
  });

  it.each([
    { order: 'channel by channel', inputs: 2, weights: [100, 100, 0, 0, 0, 0, 0, 0] },
    { order: 'position by position', inputs: 2, weights: [100, 0, 0, 0, 100, 0, 0, 0] },
    { order: 'position by position, each padded', inputs: 3, weights: [0, 100, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0] },
  ])('finds pairs of a convolution unrolled $order', ({ inputs, weights }) => {
    const builder = new Builder();
    const x = builder.activation([1, inputs, 8, 8]);
    expect(builder.qdq('Conv', x, builder.constant([1, inputs, 2, 2], weights)).find()).toMatchObject({
      possible: true,
      where: [{ node: '/Conv', worstPairSum: 200 * 255 }],
    });
  });

  it('knows that depthwise kernels widen, and that grouped ones do not', () => {
    const conv = (dims: number[], group: number) => {
      const builder = new Builder();
      const weights = builder.constant(dims, Array(dims.reduce((a, b) => a * b, 1)).fill(127));
      return builder.qdq('Conv', builder.activation(image), weights, attr.int('group', group)).find();
    };
    expect(conv([4, 1, 3, 3], 4)).toMatchObject({ possible: false });
    expect(conv([8, 1, 3, 3], 4)).toMatchObject({ possible: true });
    expect(conv([4, 2, 3, 3], 2)).toMatchObject({ possible: true });
    expect(conv([4, 1, 1, 1], 1)).toMatchObject({ possible: false });
  });

  it('takes uint8 weights as exact', () => {
    const builder = new Builder();
    const weights = builder.constant([4, 1], [255, 255, 255, 255], DataType.uint8);
    expect(builder.qdq('MatMul', builder.activation(row), weights).find()).toBeNull();
  });

  it('rounds float weights behind QuantizeLinear as the engine does', () => {
    const find = (weights: number[]) => {
      const builder = new Builder();
      const source = builder.model.graph.addInitializer(Tensor.float32('f', [2, 2], weights));
      const scales = builder.model.graph.addInitializer(Tensor.float32('s', [2], [1, 0.5]));
      const zeros = builder.constant([2], [0, 0]);
      const rounded = builder.node('QuantizeLinear', [source, scales, zeros], { attributes: [attr.int('axis', 1)] });
      return builder.qdq('MatMul', builder.activation([1, 2]), rounded.output).find();
    };
    // Second channel: 32.1 / 0.5 and 32.4 / 0.5 round to 64 and 65.
    expect(find([0, 32.1, 0, 32.4])?.where).toEqual([{ node: '/MatMul', worstPairSum: 129 * 255 }]);
    expect(find([0, 32.1, 0, 32.1])?.possible).toBe(false);
    expect(find([64, 0, 64, 0])?.possible).toBe(false);
  });

  describe('of integer operators', () => {
    const weights = [100, 0, 100, 0, 0, 0, 0, 0];
    const product = (opType: string, domain: string, inputs: (b: Builder) => (Value | undefined)[]) => {
      const builder = new Builder();
      builder.node(opType, inputs(builder), { domain });
      return builder.find();
    };
    const matrix = (b: Builder) => b.constant([4, 2], weights);

    it.each([
      ['QLinearMatMul', '', (b: Builder) => [b.activation(row), b.scale, b.zero(DataType.uint8), matrix(b)]],
      ['MatMulInteger', '', (b: Builder) => [b.activation(row), matrix(b)]],
      ['QGemm', 'com.microsoft', (b: Builder) => [b.activation(row), b.scale, b.zero(DataType.uint8), matrix(b)]],
      ['MatMulIntegerToFloat', 'com.microsoft', (b: Builder) => [b.activation(row), matrix(b), b.scale, b.scale]],
      ['DynamicQuantizeMatMul', 'com.microsoft', (b: Builder) => [b.model.graph.inputs[0], matrix(b), b.scale]],
      ['QAttention', 'com.microsoft', (b: Builder) => [b.activation(row), matrix(b), b.scale]],
      [
        'DynamicQuantizeLSTM',
        'com.microsoft',
        (b: Builder) => [
          b.model.graph.inputs[0],
          b.constant([1, 4, 2], Array(8).fill(1)),
          b.constant([1, 4, 2], weights),
        ],
      ],
    ])('finds the pairs of %s', (opType, domain, inputs) => {
      expect(product(opType, domain, inputs)?.where).toEqual([{ node: `/${opType}`, worstPairSum: 200 * 255 }]);
    });

    it.each([
      ['QLinearConv', ''],
      ['QLinearConv', 'com.microsoft'],
    ])('finds the pairs of %s of "%s"', (opType, domain) => {
      const found = product(opType, domain, (b) => [
        b.activation(image),
        b.scale,
        b.zero(DataType.uint8),
        b.constant([1, 4, 1, 1], [-100, -100, 0, 0]),
      ]);
      expect(found?.where).toEqual([{ node: `/${opType}`, worstPairSum: 200 * 255 }]);
    });

    it('finds those of ConvInteger and of a transposed QGemm', () => {
      const conv = product('ConvInteger', '', (b) => [b.activation(image), b.constant([1, 4, 1, 1], [99, 99, 0, 0])]);
      expect(conv?.possible).toBe(true);
      const builder = new Builder();
      builder.node(
        'QGemm',
        [builder.activation(row), builder.scale, builder.zero(DataType.uint8), builder.constant([2, 4], weights)],
        { domain: 'com.microsoft', attributes: [attr.int('transB', 1)] },
      );
      expect(builder.find()?.possible).toBe(false);
    });

    it('leaves out int8 activations, which a plain kernel takes', () => {
      const found = product('MatMulInteger', '', (b) => [b.activation(row, DataType.int8), matrix(b)]);
      expect(found).toBeNull();
    });

    it('leaves out operators of other domains', () => {
      expect(product('QGemm', 'org.example', (b) => [b.activation(row), b.scale, undefined, matrix(b)])).toBeNull();
    });
  });

  it('assumes the worst of int8 values that are computed, unless both operands are int8', () => {
    const attention = (left: Byte, right: Byte) => {
      const builder = new Builder();
      const q = builder.activation([2, 2], left);
      return builder.qdq('MatMul', q, builder.activation([2, 2], right)).find();
    };
    expect(attention(DataType.uint8, DataType.int8)).toMatchObject({ where: [{ worstPairSum: 256 * 255 }] });
    expect(attention(DataType.int8, DataType.int8)).toBeNull();
    expect(attention(DataType.uint8, DataType.uint8)).toBeNull();
  });

  it('looks into subgraphs, and names unnamed nodes by their output', () => {
    const builder = new Builder();
    const inner = new Builder();
    inner.qdq('MatMul', inner.activation([1, 2]), inner.constant([2, 1], [127, 127]));
    for (const node of inner.model.graph.nodes()) node.name = '';
    const condition = builder.model.graph.addInput('c', tensorType(DataType.bool, []));
    const branch = builder.node('If', [condition]);
    branch.setAttribute({ name: 'then_branch', kind: 'graph', value: inner.model.graph });
    inner.model.graph.owner = branch;
    expect(builder.find()?.where).toEqual([{ node: 'MatMul_out', worstPairSum: 254 * 255 }]);
  });

  it('lists the worst node first', () => {
    const builder = new Builder();
    const x = builder.activation([1, 2]);
    for (const [name, weight] of [
      ['small', 70],
      ['large', 120],
      ['safe', 10],
    ] as const) {
      const w = builder.dequantized(builder.constant([2, 1], [weight, weight]));
      builder.node('MatMul', [builder.dequantized(x), w], { name });
    }
    expect(builder.find()?.where.map(({ node }) => node)).toEqual(['large', 'small']);
  });
});

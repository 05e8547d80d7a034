import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChannelLayout,
  channelLayout,
  dequantizeWeights,
  quantizeWeights,
  roundHalfEven,
} from '../../src/quantization/quantize-weights.ts';
import { countUnsafePairs, neighbourPairs } from '../../src/quantization/saturation.ts';

const shapes = fc.record({
  dims: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 4 }),
  axis: fc.integer({ min: 0, max: 1 }),
});
const weights = (length: number) =>
  fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: length, maxLength: length });
const cases = shapes.chain(({ dims, axis }) =>
  weights(dims.reduce((a, b) => a * b, 1)).map((list) => ({ dims, axis, list: Float32Array.from(list) })),
);

/** The output channel of an element, from the shape alone. */
function channelOf(index: number, dims: readonly number[], axis: number): number {
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  return Math.floor(index / inner) % dims[axis]!;
}

function squaredError(list: Float32Array, rounded: Float32Array): number {
  return list.reduce((sum, value, i) => sum + (value - rounded[i]!) ** 2, 0);
}

describe('rounding', () => {
  it('takes halves to the even neighbour, as QuantizeLinear does', () => {
    const values = [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 0.49999, 2.50001, -7, 126.5];
    expect(values.map((value) => roundHalfEven(value) + 0)).toEqual([-4, -2, -2, 0, 0, 2, 2, 4, 0, 3, -7, 126]);
  });

  it('is never off by more than a half', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (value) => {
        const rounded = roundHalfEven(value);
        expect(Number.isInteger(rounded)).toBe(true);
        expect(Math.abs(rounded - value)).toBeLessThanOrEqual(0.5);
      }),
    );
  });
});

describe('quantized weights', () => {
  it('with the full range are off by half a step at most, each channel with its own step', () => {
    fc.assert(
      fc.property(cases, ({ dims, axis, list }) => {
        const layout = channelLayout(dims, axis);
        const quantized = quantizeWeights(list, layout, { range: 'max' });
        expect(quantized.scales.length).toBe(dims[axis]);
        const rounded = dequantizeWeights(quantized, layout);
        list.forEach((value, i) => {
          const scale = quantized.scales[channelOf(i, dims, axis)]!;
          expect(Math.abs(quantized.values[i]!)).toBeLessThanOrEqual(127);
          expect(rounded[i]).toBe(Math.fround(quantized.values[i]! * scale));
          expect(Math.abs(value - rounded[i]!)).toBeLessThanOrEqual(0.50001 * scale + 1e-30);
          if (value === 0) expect(quantized.values[i]).toBe(0);
        });
        // No finer step holds the channel's largest weight.
        for (let c = 0; c < dims[axis]!; c++) {
          const largest = list.reduce((max, value, i) => {
            return channelOf(i, dims, axis) === c ? Math.max(max, Math.abs(value)) : max;
          }, 0);
          if (largest > 1e-20) expect(quantized.scales[c]! * 127).toBeCloseTo(largest, 4);
          else if (largest === 0) expect(quantized.scales[c]).toBe(2 ** -16);
        }
      }),
    );
  });

  it('with the searched step have no more squared error than with the full range', () => {
    fc.assert(
      fc.property(cases, ({ dims, axis, list }) => {
        const layout = channelLayout(dims, axis);
        const error = (range: 'max' | 'mse') =>
          squaredError(list, dequantizeWeights(quantizeWeights(list, layout, { range }), layout));
        expect(error('mse')).toBeLessThanOrEqual(error('max') * 1.0001 + 1e-12);
      }),
    );
  });

  it('with the searched step clip what costs less than a wider step, and no more', () => {
    const layout: ChannelLayout = { channels: 1, outer: 1, inner: 40_000 };
    const list = Float32Array.from({ length: layout.inner }, (_, i) => Math.sin(i * 1.7) * 0.4);
    const error = (range: 'max' | 'mse') =>
      squaredError(list, dequantizeWeights(quantizeWeights(list, layout, { range }), layout));
    list[7] = 0.44;
    expect(error('mse')).toBeLessThan(error('max') * 0.9);
    // Far away, or many: wherever they are in the channel, they are seen.
    for (const [count, value] of [
      [1, 4],
      [20, 0.55],
    ] as const) {
      for (let i = 0; i < count; i++) list[7 + 997 * i] = value;
      expect(error('mse')).toBeLessThanOrEqual(error('max') * 1.001);
    }
  });

  it('for saturating processors have no unsafe pair, and at most the error of 7 bits', () => {
    fc.assert(
      fc.property(
        fc.record({ outputs: fc.integer({ min: 1, max: 3 }), inputs: fc.integer({ min: 1, max: 8 }) }),
        fc.constantFrom(1, 3, 9),
        fc.integer(),
        fc.boolean(),
        ({ outputs, inputs }, positions, seed, isExtreme) => {
          let state = seed;
          const list = Float32Array.from({ length: outputs * inputs * positions }, () => {
            state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
            const value = state / 2 ** 31 - 1;
            return isExtreme ? Math.sign(value) : value;
          });
          const layout = channelLayout([outputs, inputs, positions], 0);
          const reduction = { inputs, positions };
          const quantized = quantizeWeights(list, layout, { range: 'mse', saturating: reduction });
          const pairs = neighbourPairs(reduction);
          for (let c = 0; c < outputs; c++) {
            const size = inputs * positions;
            expect(countUnsafePairs(quantized.values.subarray(c * size, (c + 1) * size), pairs)).toBe(0);
          }
          const rounded = dequantizeWeights(quantized, layout);
          const limit = (c: number) =>
            list
              .slice(c * inputs * positions, (c + 1) * inputs * positions)
              .reduce((m, v) => Math.max(m, Math.abs(v)), 0);
          const sevenBits = list.map((value, i) => {
            const step = (2 * limit(channelOf(i, [outputs, inputs, positions], 0))) / 127;
            return step === 0 ? 0 : Math.max(-64, Math.min(64, roundHalfEven(value / step))) * step;
          });
          expect(squaredError(list, rounded)).toBeLessThanOrEqual(squaredError(list, sevenBits) * 1.0001 + 1e-9);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('along the second axis are those of the transposed matrix along the first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), fc.boolean(), (k, n, isSafe) => {
        const list = Float32Array.from({ length: k * n }, (_, i) => Math.sin(i * 37.3) * (1 + (i % n)));
        const turned = Float32Array.from({ length: k * n }, (_, i) => list[(i % k) * n + Math.floor(i / k)]!);
        const options = { range: 'mse', ...(isSafe ? { saturating: { inputs: k, positions: 1 } } : {}) } as const;
        const columns = quantizeWeights(list, channelLayout([k, n], 1), options);
        const rows = quantizeWeights(turned, channelLayout([n, k], 0), options);
        expect(columns.scales).toEqual(rows.scales);
        const turnedBack = rows.values.map((_, i) => columns.values[(i % k) * n + Math.floor(i / k)]!);
        expect(turnedBack).toEqual(rows.values);
      }),
    );
  });

  it('keep the least scale that they are given', () => {
    const list = Float32Array.of(1e-20, -1e-20, 1, 0.5, 0, 0);
    const layout = channelLayout([3, 2], 0);
    for (const range of ['max', 'mse'] as const) {
      const { scales, values } = quantizeWeights(list, layout, { range, minScales: [1e-3, 1e-3, 1e-3] });
      expect(scales[0]).toBe(Math.fround(1e-3));
      expect([...values.subarray(0, 2)].map(Math.abs)).toEqual([0, 0]);
      expect(scales[1]).toBeGreaterThan(1 / 200);
    }
  });

  it('of zeros are zeros, with a scale that leaves a bias its digits', () => {
    const layout = channelLayout([2, 2], 0);
    const { scales, values } = quantizeWeights(new Float32Array(4), layout, { range: 'mse' });
    expect([...scales]).toEqual([2 ** -16, 2 ** -16]);
    expect([...values]).toEqual([0, 0, 0, 0]);
    expect(quantizeWeights(new Float32Array(4), layout, { range: 'max', minScales: [0.5, 0] }).scales[0]).toBe(0.5);
  });

  it('cannot be made of NaN or infinity', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const list of [
        [value, 1],
        [1, value],
      ]) {
        const quantize = () => quantizeWeights(Float32Array.from(list), channelLayout([1, 2], 0), { range: 'max' });
        expect(quantize).toThrow(RangeError);
      }
    }
  });
});

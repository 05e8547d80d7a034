import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GramAccumulator } from '../../src/runtime/child/gram.ts';
import { HistogramAccumulator } from '../../src/runtime/child/histogram.ts';
import { MinMaxAccumulator } from '../../src/runtime/child/min-max.ts';
import { MomentAccumulator } from '../../src/runtime/child/moments.ts';
import { realValues } from '../../src/runtime/child/real-values.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { unpackHistogram } from '../../src/runtime/statistics.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import type { Feeds } from '../../src/tensor/nd-array.ts';
import { reluModel } from './tiny-models.ts';

/** A deterministic sequence of numbers around zero, over several orders of magnitude. */
function noise(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const uniform = state / 2 ** 32 - 0.5;
    return uniform * uniform * uniform * 40;
  });
}

describe('minimum and maximum', () => {
  it('runs over all values, and averages the extremes of each run', () => {
    const accumulator = new MinMaxAccumulator({});
    accumulator.add(Float32Array.of(1, -3, 2), [3]);
    accumulator.add(Float32Array.of(5, 4), [2]);
    accumulator.add(new Float32Array(0), [0]);
    expect(accumulator.result()).toEqual({
      min: Float64Array.of(-3),
      max: Float64Array.of(5),
      meanMin: Float64Array.of(0.5),
      meanMax: Float64Array.of(3.5),
      runs: 2,
      nanCount: 0,
    });
  });

  it.each([1, -2])('keeps the channels of axis %i apart', (axis) => {
    const accumulator = new MinMaxAccumulator({ axis });
    accumulator.add(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, -9, 10, 11, 12), [2, 3, 2]);
    const { min, max } = accumulator.result();
    expect(min).toEqual(Float64Array.of(1, -9, 5));
    expect(max).toEqual(Float64Array.of(8, 10, 12));
  });

  it('leaves NaN out and counts it, wherever it is', () => {
    const accumulator = new MinMaxAccumulator({});
    accumulator.add(Float32Array.of(Number.NaN, 2, Number.NaN, -1, Number.NaN), [5]);
    expect(accumulator.result()).toMatchObject({ min: Float64Array.of(-1), max: Float64Array.of(2), nanCount: 3 });
  });

  it('refuses a number of channels that changes', () => {
    const accumulator = new MinMaxAccumulator({ axis: 0 });
    accumulator.add(Float32Array.of(1, 2), [2]);
    expect(() => accumulator.add(Float32Array.of(1, 2, 3), [3])).toThrow(/2 channels in one run and 3 in another/);
    expect(() => new MinMaxAccumulator({ axis: 2 }).add(Float32Array.of(1), [1])).toThrow(/no axis 2/);
  });
});

describe('histogram', () => {
  it('counts every value once, in a bin that holds it, in ascending order', () => {
    const values = noise(20_000);
    const accumulator = new HistogramAccumulator({});
    accumulator.add(values.subarray(0, 7_000));
    accumulator.add(values.subarray(7_000));
    const { lower, upper, counts, count, nonFiniteCount } = unpackHistogram(accumulator.result());
    expect([count, nonFiniteCount]).toEqual([20_000, 0]);
    for (let bin = 0; bin < counts.length; bin++) {
      expect(lower[bin]).toBeLessThanOrEqual(upper[bin]!);
      if (bin > 0) expect(lower[bin]).toBeGreaterThan(upper[bin - 1]!);
      const inside = values.filter((value) => value >= lower[bin]! && value <= upper[bin]!).length;
      expect(counts[bin]).toBe(inside);
    }
    // The bins are as fine as promised, and reach no further than the values do.
    const ratios = lower.map((low, bin) => (upper[bin]! - low) / Math.max(Math.abs(low), Math.abs(upper[bin]!)));
    expect(Math.max(...ratios)).toBeLessThan(1 / 128);
    expect(lower[0]).toBeLessThanOrEqual(Math.min(...values));
    expect(upper.at(-1)).toBeGreaterThanOrEqual(Math.max(...values));
  });

  it('puts exact zeros, the two signs and non-finite values where they belong', () => {
    const accumulator = new HistogramAccumulator({});
    accumulator.add(Float32Array.of(0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY));
    const { lower, upper, counts, count, nonFiniteCount } = unpackHistogram(accumulator.result());
    expect([count, nonFiniteCount]).toEqual([4, 3]);
    expect(counts).toEqual(Float64Array.of(1, 1, 1, 1));
    expect(upper[0]).toBe(-1);
    expect(lower[2]).toBe(0);
    expect(lower[3]).toBe(1);
  });

  it('counts every stride-th value, each in its turn', () => {
    const accumulator = new HistogramAccumulator({ stride: 4 });
    const values = Float32Array.of(1, 2, 4, 8, 1, 2, 4, 8);
    for (let run = 0; run < 4; run++) accumulator.add(values);
    expect(unpackHistogram(accumulator.result())).toMatchObject({ counts: Float64Array.of(2, 2, 2, 2), count: 8 });
  });

  it('rounds other types to float32', () => {
    const accumulator = new HistogramAccumulator({});
    accumulator.add(Float64Array.of(0.1, 3));
    const { lower, upper } = unpackHistogram(accumulator.result());
    expect(lower[0]).toBeLessThanOrEqual(Math.fround(0.1));
    expect(upper[0]).toBeGreaterThanOrEqual(Math.fround(0.1));
    expect(lower[1]).toBe(3);
  });
});

describe('moments', () => {
  it('sums per channel, over runs of different length', () => {
    const accumulator = new MomentAccumulator({ axis: 1 });
    accumulator.add(Float32Array.of(1, 2, 3, 4), [1, 2, 2]);
    accumulator.add(Float32Array.of(5, 6, 7, 8), [2, 2, 1]);
    expect(accumulator.result()).toEqual({
      count: 4,
      sum: Float64Array.of(1 + 2 + 5 + 7, 3 + 4 + 6 + 8),
      sumOfSquares: Float64Array.of(1 + 4 + 25 + 49, 9 + 16 + 36 + 64),
    });
  });

  it('takes everything as one channel without an axis', () => {
    const accumulator = new MomentAccumulator({});
    accumulator.add(Float32Array.of(1, -2), [1, 2]);
    expect(accumulator.result()).toEqual({ count: 2, sum: Float64Array.of(-1), sumOfSquares: Float64Array.of(5) });
  });
});

describe('gram matrix', () => {
  const rows = [
    [1, 2, 0],
    [3, -1, 4],
  ];
  const expected = Float64Array.of(10, -1, 12, -1, 5, -4, 12, -4, 16);

  it('is the sum of the products of rows', () => {
    const accumulator = new GramAccumulator({});
    for (const row of rows) accumulator.add(Float32Array.from(row), [1, 3]);
    expect(accumulator.result()).toEqual({ rows: 2, size: 3, matrix: expected });
  });

  it('takes rows across any axis', () => {
    const accumulator = new GramAccumulator({ axis: 1 });
    accumulator.add(Float32Array.of(1, 3, 2, -1, 0, 4), [1, 3, 2]);
    expect(accumulator.result()).toEqual({ rows: 2, size: 3, matrix: expected });
  });

  it('refuses more than 2,048 channels', () => {
    expect(() => new GramAccumulator({}).add(new Float32Array(2049), [1, 2049])).toThrow(/2049 channels/);
  });
});

describe('the numbers in an array', () => {
  it.each([
    ['float16', DataType.float16, Uint16Array.of(0x3c00, 0xc000), [1, -2]],
    ['bfloat16', DataType.bfloat16, Uint16Array.of(0x3f80, 0xc000), [1, -2]],
    ['uint16', DataType.uint16, Uint16Array.of(0x3c00, 2), [15360, 2]],
    ['int64', DataType.int64, BigInt64Array.of(-5n, 7n), [-5, 7]],
    ['bool', DataType.bool, Uint8Array.of(0, 1), [0, 1]],
  ] as const)('are read from %s', (_, dataType, data, expected) => {
    expect([...realValues({ dataType, dims: [2], data })]).toEqual(expected);
  });
});

describe('statistics collected in the engine', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(async () => {
    await engine.close();
  });
  const feed = (batch: number, values: number[]): Feeds => ({
    x: { dataType: DataType.float32, dims: [batch, 2, 4], data: Float32Array.from(values) },
  });

  it('covers all runs since the last call, whatever their batch size', async () => {
    const session = await engine.load(reluModel());
    const request = {
      y: { histogram: {}, moments: { axis: 1 } },
      z: { minMax: { axis: 1 }, gram: { axis: 1 } },
    };
    await session.collect(feed(1, [-2, -1, 0, 1, 2, 3, -4, 5]), request);
    await session.collect(feed(2, Array(16).fill(1)), request);
    const { y, z } = await session.statistics();
    expect(y?.moments).toEqual({
      count: 12,
      sum: Float64Array.of(1 + 8, 10 + 8),
      sumOfSquares: Float64Array.of(1 + 8, 38 + 8),
    });
    expect(y?.histogram?.count).toBe(24);
    expect(y?.histogram?.counts).toEqual(Float64Array.of(4, 17, 1, 1, 1));
    expect(z?.minMax).toMatchObject({ min: Float64Array.of(-4, -8), max: Float64Array.of(2, 10), runs: 2 });
    expect(z?.gram?.rows).toBe(12);
    expect(Object.keys(z ?? {})).toEqual(['minMax', 'gram']);

    await session.collect(feed(1, Array(8).fill(7)), { y: { minMax: {} } });
    expect((await session.statistics()).y?.minMax?.min).toEqual(Float64Array.of(7));
  });

  it('fetches outputs beside, counted or not', async () => {
    const session = await engine.load(reluModel());
    const request = { y: { minMax: {} } };
    const values = [-2, -1, 0, 1, 2, 3, -4, 5];
    expect(await session.collect(feed(1, values), request)).toEqual({});
    const fetched = await session.collect(feed(1, values), request, ['y', 'z']);
    expect(fetched).toEqual(await session.run(feed(1, values), ['y', 'z']));
    expect((await session.statistics()).y?.minMax).toMatchObject({ max: Float64Array.of(5), runs: 2 });
    await expect(session.collect(feed(1, values), request, ['w'])).rejects.toThrow(/no output 'w'/);
  });

  it('says no to other statistics in between, to unknown outputs, and to none at all', async () => {
    const session = await engine.load(reluModel());
    const zeros = feed(1, Array(8).fill(0));
    await session.collect(zeros, { y: { minMax: {} } });
    await expect(session.collect(zeros, { y: { moments: {} } })).rejects.toThrow(/other statistics/);
    await session.statistics();
    await expect(session.statistics()).rejects.toThrow(/no statistics/);
    await expect(session.collect(zeros, { w: { minMax: {} } })).rejects.toThrow(/no output 'w'/);
  });
});

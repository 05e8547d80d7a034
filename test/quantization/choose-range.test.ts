import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ActivationStatistics,
  type CalibrationMethod,
  chooseRange,
  needsHistogram,
} from '../../src/quantization/choose-range.ts';
import {
  limitsOf,
  parametersOfRange,
  type QuantizedType,
  type Range,
} from '../../src/quantization/quantization-parameters.ts';
import { HistogramAccumulator } from '../../src/runtime/child/histogram.ts';
import { unpackHistogram } from '../../src/runtime/statistics.ts';

function statisticsOf(values: ArrayLike<number>): ActivationStatistics {
  const floats = Float32Array.from(values);
  const accumulator = new HistogramAccumulator({});
  accumulator.add(floats);
  const { lower, upper, counts } = unpackHistogram(accumulator.result());
  return {
    min: floats.reduce((a, b) => Math.min(a, b)),
    max: floats.reduce((a, b) => Math.max(a, b)),
    histogram: { lower, upper, counts },
  };
}

/** Mean squared error of the values rounded to 8 bits over a range. */
function roundingError(values: ArrayLike<number>, range: Range, type: QuantizedType, symmetric: boolean): number {
  const { scale, zeroPoint } = parametersOfRange(range, type, symmetric);
  const limits = limitsOf(type);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const q = Math.max(limits.min, Math.min(limits.max, Math.round(values[i]! / scale) + zeroPoint));
    sum += (values[i]! - (q - zeroPoint) * scale) ** 2;
  }
  return sum / values.length;
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** Samples of distributions as activations have them, with outliers or without. */
function samples(
  shape: 'normal' | 'laplace' | 'rectified' | 'uniform',
  seed: number,
  outlier: number,
  length = 20_000,
): Float32Array {
  const next = random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  const draw = {
    normal,
    laplace: () => Math.log(next()) * (next() < 0.5 ? 1 : -1),
    rectified: () => Math.max(0, normal()),
    uniform: () => 2 * next() - 0.5,
  }[shape];
  const values = Float32Array.from({ length }, draw);
  if (outlier > 0) values[0] = outlier;
  return values;
}

const shapes = fc.constantFrom('normal', 'laplace', 'rectified', 'uniform');
const outliers = fc.constantFrom(0, 10, 100);
const methods: readonly CalibrationMethod[] = ['min-max', 'percentile', 'entropy', 'mse'];

describe('the range chosen', () => {
  it('lies within what was seen and zero, whatever the method', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(...methods),
        fc.boolean(),
        (values, method, symmetric) => {
          const statistics = statisticsOf(values);
          const { min, max } = chooseRange(statistics, method, 'uint8', symmetric);
          expect(Number.isFinite(min) && Number.isFinite(max)).toBe(true);
          expect(min).toBeLessThanOrEqual(max);
          const limit = Math.max(-statistics.min, statistics.max, 0);
          const slack = 1e-12 * limit;
          expect(min).toBeGreaterThanOrEqual((symmetric ? -limit : Math.min(0, statistics.min)) - slack);
          expect(max).toBeLessThanOrEqual((symmetric ? limit : Math.max(0, statistics.max)) + slack);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('by min-max is what was seen, and needs no histogram', () => {
    expect(chooseRange({ min: -3, max: 7 }, 'min-max', 'uint8', false)).toEqual({ min: -3, max: 7 });
    expect(methods.filter(needsHistogram)).toEqual(['percentile', 'entropy', 'mse']);
  });

  it('without a histogram, or of a single value, is what was seen', () => {
    for (const method of methods) {
      expect(chooseRange({ min: -3, max: 7 }, method, 'uint8', false)).toEqual({ min: -3, max: 7 });
      expect(chooseRange(statisticsOf([2, 2, 2]), method, 'uint8', false)).toEqual({ min: 2, max: 2 });
      expect(chooseRange(statisticsOf([0, 0]), method, 'uint8', false)).toEqual({ min: 0, max: 0 });
    }
  });

  it('by mse has no more squared error than by min-max, and much less where there are outliers', () => {
    fc.assert(
      fc.property(
        shapes,
        fc.integer({ min: 1, max: 1000 }),
        outliers,
        fc.constantFrom('uint8', 'int8'),
        fc.boolean(),
        (shape, seed, outlier, type, symmetric) => {
          const values = samples(shape, seed, outlier);
          const statistics = statisticsOf(values);
          const error = (method: CalibrationMethod) =>
            roundingError(values, chooseRange(statistics, method, type, symmetric), type, symmetric);
          expect(error('mse')).toBeLessThanOrEqual(error('min-max') * 1.02);
        },
      ),
      { numRuns: 60 },
    );
    const values = samples('normal', 1, 20, 1_000_000);
    const statistics = statisticsOf(values);
    const [mse, minMax] = (['mse', 'min-max'] as const).map((method) =>
      roundingError(values, chooseRange(statistics, method, 'uint8', false), 'uint8', false),
    );
    expect(mse!).toBeLessThan(0.5 * minMax!);
  });

  it('by mse is close to the best of an exhaustive search on the samples themselves', () => {
    for (const [shape, outlier] of [
      ['normal', 0],
      ['laplace', 0],
      ['rectified', 20],
    ] as const) {
      const values = samples(shape, 5, outlier);
      const statistics = statisticsOf(values);
      let best = Number.POSITIVE_INFINITY;
      for (let high = 0.02; high <= 1; high += 0.02) {
        for (let low = 0.02; low <= 1; low += 0.02) {
          const range = { min: statistics.min * low, max: statistics.max * high };
          best = Math.min(best, roundingError(values, range, 'uint8', false));
          if (statistics.min === 0) break;
        }
      }
      const found = roundingError(values, chooseRange(statistics, 'mse', 'uint8', false), 'uint8', false);
      expect(found).toBeLessThan(best * 1.05);
    }
  }, 30_000);

  it('by percentile leaves out the outermost hundred-thousandth', () => {
    const values = Float32Array.from({ length: 1_000_000 }, (_, i) => i / 1_000_000);
    values[0] = -1000;
    values[1] = 1000;
    const { min, max } = chooseRange(statisticsOf(values), 'percentile', 'uint8', false);
    expect(min).toBeGreaterThanOrEqual(0);
    expect(min).toBeLessThan(0.001);
    expect(max).toBeGreaterThan(0.99);
    expect(max).toBeLessThanOrEqual(1.01);
    // Few values: none is left out.
    expect(chooseRange(statisticsOf([-1, 0.5, 4]), 'percentile', 'uint8', false)).toEqual({ min: -1, max: 4 });
  });

  it('by entropy keeps an even spread whole and cuts a far outlier off', () => {
    const even = samples('uniform', 3, 0);
    const kept = chooseRange(statisticsOf(even), 'entropy', 'uint8', false);
    expect(kept.max).toBeGreaterThan(1.35);
    expect(kept.min).toBeLessThan(-0.45);
    const values = samples('rectified', 3, 40);
    const cut = chooseRange(statisticsOf(values), 'entropy', 'uint8', false);
    expect(cut.max).toBeLessThan(20);
    // All but the outlier is still there.
    expect(cut.max).toBeGreaterThan(values.subarray(1).reduce((a, b) => Math.max(a, b)) * 0.8);
  });

  it('is symmetric where that is asked for', () => {
    const statistics = statisticsOf(samples('rectified', 9, 20));
    for (const method of ['entropy', 'mse'] as const) {
      const { min, max } = chooseRange(statistics, method, 'int8', true);
      expect(min + max).toBeCloseTo(0, 9);
      expect(max).toBeGreaterThan(1);
    }
  });
});

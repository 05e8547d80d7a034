import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { medianOfBatches, pairedLatencyRatio, summarizeLatency } from '../../src/evaluation/latency-statistics.ts';
import { quantileOf } from '../../src/runtime/latency.ts';
import { seededRandom } from '../../src/runtime/seeded-random.ts';

const arrays = (rounds: readonly (readonly number[])[]) => rounds.map((round) => Float64Array.from(round));

describe('summarizeLatency', () => {
  it('gives the quantiles of all runs, as sorting them would', () => {
    const round = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 12 }), (rounds) => {
        const all = Float64Array.from(rounds.flat());
        const summary = summarizeLatency(arrays(rounds), { resamples: 30 });
        expect(summary).toMatchObject({ runs: all.length, rounds: rounds.length });
        for (const [estimate, fraction] of [
          [summary.median, 0.5],
          [summary.p90, 0.9],
          [summary.p99, 0.99],
        ] as const) {
          expect(estimate.valueMs).toBeCloseTo(quantileOf(all, fraction), 9);
          expect(estimate.interval?.low ?? 0).toBeLessThanOrEqual(estimate.interval?.high ?? 0);
        }
        expect(summary.minMs).toBe(Math.min(...all));
        expect(summary.maxMs).toBe(Math.max(...all));
      }),
    );
  });

  it('gives no interval of a tail that too few runs lie in', () => {
    const runs = (count: number) => summarizeLatency(arrays([Array.from({ length: count }, (_, i) => 1 + i)]));
    expect([runs(49).p90.interval, runs(49).p99.interval]).toEqual([null, null]);
    expect(runs(50).p90.interval).not.toBeNull();
    expect(runs(499).p99.interval).toBeNull();
    expect(runs(500).p99.interval).not.toBeNull();
    expect(runs(1).median.interval).toEqual({ low: 1, high: 1 });
  });

  it('tells noise and drift', () => {
    const steady = summarizeLatency(arrays(Array.from({ length: 12 }, () => [2, 2.1, 2])));
    expect([steady.roundVariation, steady.drift]).toEqual([0, 1]);
    const slowing = summarizeLatency(arrays(Array.from({ length: 12 }, (_, i) => [2 + i / 10])));
    expect(slowing.drift).toBeCloseTo(2.95 / 2.15, 9);
    expect(slowing.roundVariation).toBeCloseTo(0.141, 3);
    expect(slowing.blockLength).toBe(3);
    expect(summarizeLatency(arrays([[1], [9]])).drift).toBe(1);
  });
});

describe('pairedLatencyRatio', () => {
  it('compares within rounds, so that a slow round does not count against the model', () => {
    const load = [1, 1, 5, 5, 1, 1, 5, 1, 1, 1];
    const first = arrays(load.map((factor) => [10 * factor]));
    const second = arrays(load.map((factor) => [6 * factor, 6 * factor]));
    const { ratio, interval } = pairedLatencyRatio(second, first);
    expect([ratio, interval.low, interval.high].map((value) => value.toFixed(9))).toEqual(Array(3).fill('0.600000000'));
    expect(() => pairedLatencyRatio(second, first.slice(1))).toThrow(RangeError);
  });
});

describe('medianOfBatches', () => {
  const random = seededRandom(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const batches = (count: number, between: number, within: number) =>
    Array.from({ length: count }, () => {
      const middle = 1 + between * normal();
      return Float64Array.from({ length: 10 }, () => middle + within * normal());
    });

  it('counts what a batch has in common once: its interval holds the truth where one of single values would not', () => {
    const trials = 300;
    let [held, heldBySingle] = [0, 0];
    for (let trial = 0; trial < trials; trial++) {
      const measured = batches(8, 0.01, 0.005);
      const options = { resamples: 300, seed: trial };
      const { interval } = medianOfBatches(measured, options);
      if (interval.low <= 1 && interval.high >= 1) held++;
      const single = medianOfBatches(
        measured.flatMap((batch) => Array.from(batch, (value) => Float64Array.of(value))),
        options,
      ).interval;
      if (single.low <= 1 && single.high >= 1) heldBySingle++;
    }
    expect(held / trials).toBeGreaterThan(0.88);
    expect(heldBySingle / trials).toBeLessThan(0.75);
  });

  it('is hardly moved by a batch that went wrong', () => {
    const measured = [...batches(19, 0.01, 0.005), new Float64Array(10).fill(3)];
    const { value, interval } = medianOfBatches(measured);
    expect(Math.abs(value - 1)).toBeLessThan(0.01);
    expect(interval.high).toBeLessThan(1.02);
  });

  it('needs a batch', () => {
    expect(() => medianOfBatches([])).toThrow(RangeError);
  });
});

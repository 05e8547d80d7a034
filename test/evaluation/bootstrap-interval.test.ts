import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockLengthOf, bootstrapIntervals, neighbourCorrelation } from '../../src/evaluation/bootstrap-interval.ts';
import { pairedLatencyRatio, summarizeLatency } from '../../src/evaluation/latency-statistics.ts';
import { seededRandom } from '../../src/runtime/seeded-random.ts';

/** Standard normal numbers by the method of Box and Muller. */
function normals(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const REPETITIONS = 400;

/** Share of the repetitions whose interval holds the truth. */
function coverage(truth: number, intervalOf: (repetition: number) => { low: number; high: number } | null): number {
  let held = 0;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const interval = intervalOf(repetition);
    if (interval !== null && interval.low <= truth && truth <= interval.high) held++;
  }
  return held / REPETITIONS;
}

const quick = { resamples: 400 };
const rounds = (count: number, runs: number, value: (round: number) => number) =>
  Array.from({ length: count }, (_, round) => Float64Array.from({ length: runs }, () => value(round)));

// Of 400 repetitions at 95 %, the standard error is 1.1 points: 91 to 99 % is within 3.6 of them.
describe('95 % intervals hold the truth in about 95 % of the cases', () => {
  it('for the median of normal rounds', () => {
    const share = coverage(10, (i) => {
      const normal = normals(i);
      return summarizeLatency(
        rounds(30, 1, () => 10 + normal()),
        quick,
      ).median.interval;
    });
    expect(share).toBeGreaterThan(0.91);
    expect(share).toBeLessThan(0.99);
  });

  it('for the median and the 90 % quantile of skewed runs in rounds that differ', () => {
    // Log-normal runs times a log-normal factor for the round: in logarithms normal with variance 0.3² + 0.2².
    const spread = Math.hypot(0.3, 0.2);
    const sample = (i: number) => {
      const normal = normals(1000 + i);
      const factors = Array.from({ length: 40 }, () => Math.exp(0.2 * normal()));
      return summarizeLatency(
        rounds(40, 8, (round) => factors[round]! * Math.exp(0.3 * normal())),
        quick,
      );
    };
    const summaries = Array.from({ length: REPETITIONS }, (_, i) => sample(i));
    const median = coverage(1, (i) => summaries[i]!.median.interval);
    const p90 = coverage(Math.exp(1.2815515655 * spread), (i) => summaries[i]!.p90.interval);
    for (const share of [median, p90]) {
      expect(share).toBeGreaterThan(0.9);
      expect(share).toBeLessThan(0.99);
    }
  });

  it('for the paired ratio where load slows down both, which the ratio of medians does not survive as well', () => {
    const share = coverage(0.8, (i) => {
      const normal = normals(5000 + i);
      const load = Array.from({ length: 30 }, () => Math.exp(0.5 * Math.abs(normal())));
      const first = rounds(30, 3, (round) => load[round]! * Math.exp(0.05 * normal()));
      const second = rounds(30, 3, (round) => 0.8 * load[round]! * Math.exp(0.05 * normal()));
      return pairedLatencyRatio(second, first, quick).interval;
    });
    expect(share).toBeGreaterThan(0.91);
    expect(share).toBeLessThan(0.99);
  });

  it('in most cases where rounds resemble their neighbours: blocks see it, single rounds do not', () => {
    const series = (i: number) => {
      const normal = normals(9000 + i);
      let state = normal();
      return rounds(100, 1, () => {
        state = 0.6 * state + 0.8 * normal();
        return 10 + state;
      });
    };
    const blocks = coverage(10, (i) => summarizeLatency(series(i), quick).median.interval);
    const single = coverage(10, (i) => summarizeLatency(series(i), { ...quick, blockLength: 1 }).median.interval);
    expect(single).toBeLessThan(0.82);
    expect(blocks).toBeGreaterThan(0.88);
  });
});

describe('bootstrapIntervals', () => {
  it('gives the same interval for the same seed, and another for another', () => {
    const values = Array.from({ length: 20 }, (_, i) => i * i);
    const mean = (drawn: Int32Array) => [values.reduce((sum, value, i) => sum + value * drawn[i]!, 0) / 20];
    expect(bootstrapIntervals(20, mean, { seed: 3 })).toEqual(bootstrapIntervals(20, mean, { seed: 3 }));
    expect(bootstrapIntervals(20, mean, { seed: 3 })).not.toEqual(bootstrapIntervals(20, mean, { seed: 4 }));
    // The interval of a mean is as wide as Student's, whose 97.5 % quantile for 19 degrees of freedom is 2.093.
    const [{ low, high }] = bootstrapIntervals(20, mean, { resamples: 20_000 }) as [{ low: number; high: number }];
    const average = values.reduce((sum, value) => sum + value, 0) / 20;
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / 19 / 20);
    expect(Math.abs((high - low) / (2 * 2.093 * error) - 1)).toBeLessThan(0.03);
  });

  it('draws as many items as there are, in blocks of neighbours', () => {
    let draws = 0;
    bootstrapIntervals(
      10,
      (drawn) => {
        draws++;
        expect(drawn.reduce((sum, count) => sum + count, 0)).toBe(10);
        // Blocks of 5: every item drawn has a neighbour that was drawn, around the end.
        for (let i = 0; i < 10; i++)
          if (drawn[i]! > 0) expect(drawn[(i + 1) % 10]! + drawn[(i + 9) % 10]!).toBeGreaterThan(0);
        return [0];
      },
      { blockLength: 5, resamples: 50 },
    );
    expect(draws).toBe(50);
    expect(() => bootstrapIntervals(0, () => [0])).toThrow(RangeError);
  });
});

describe('neighbourCorrelation', () => {
  it('knows trends and alternation, and is 0 where there is nothing to see', () => {
    const trend = Float64Array.from({ length: 50 }, (_, i) => i);
    expect(neighbourCorrelation(trend)).toBeGreaterThan(0.9);
    expect(neighbourCorrelation(trend.map((i) => i % 2))).toBeLessThan(-0.9);
    expect(neighbourCorrelation(new Float64Array(9).fill(4))).toBe(0);
    expect(neighbourCorrelation(Float64Array.of(1, 2))).toBe(0);
    expect(blockLengthOf(trend)).toBe(12);
    expect(blockLengthOf(trend.map((i) => i % 2))).toBe(1);
  });

  it('is between -1 and 1', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 3, maxLength: 40 }), (values) => {
        const r = neighbourCorrelation(Float64Array.from(values));
        expect(Math.abs(r)).toBeLessThanOrEqual(1 + 1e-9);
        const length = blockLengthOf(Float64Array.from(values));
        expect(length).toBeGreaterThanOrEqual(1);
        expect(length).toBeLessThanOrEqual(Math.max(1, values.length / 4));
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agreement,
  cosine,
  energies,
  klDivergence,
  logitsOf,
  pairedDifference,
  sqnrDb,
  sqnrDbOfEnergies,
  topK,
  wilsonInterval,
} from '../../src/evaluation/statistics.ts';

describe('wilsonInterval', () => {
  it('gives the published values', () => {
    // Newcombe (1998), Statistics in Medicine 17, table I, method 3: 81/263, 15/148, 0/20, 1/29.
    const cases = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const;
    for (const [successes, samples, low, high] of cases) {
      const interval = wilsonInterval(successes, samples);
      expect(interval.low).toBeCloseTo(low, 4);
      expect(interval.high).toBeCloseTo(high, 4);
    }
  });

  it('holds the value and stays in [0, 1]', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (samples, share) => {
        const { value, low, high } = wilsonInterval(Math.round(share * samples), samples);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
        expect(high - low).toBeGreaterThan(0);
      }),
    );
  });

  it('refuses what is no share', () => {
    expect(() => wilsonInterval(0, 0)).toThrow(RangeError);
    expect(() => wilsonInterval(3, 2)).toThrow(RangeError);
    expect(() => wilsonInterval(1, Number.NaN)).toThrow(RangeError);
  });
});

describe('pairedDifference', () => {
  it('counts only the samples that differ', () => {
    expect(pairedDifference(9, 4, 1000)).toEqual({
      b: 9,
      c: 4,
      difference: 0.005,
      standardError: Math.sqrt(13) / 1000,
    });
    expect(pairedDifference(0, 0, 10)).toMatchObject({ difference: 0, standardError: 0 });
    expect(() => pairedDifference(6, 5, 10)).toThrow(RangeError);
  });
});

describe('topK', () => {
  it('orders by score, the lower index first, NaN last', () => {
    expect(topK([1, 3, 3, 2], 3)).toEqual([1, 2, 3]);
    expect(topK([Number.NaN, -5, Number.NEGATIVE_INFINITY], 3)).toEqual([1, 0, 2]);
    expect(topK([7], 5)).toEqual([0]);
    expect(topK([], 1)).toEqual([]);
  });

  it('agrees with sorting everything', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        (scores, k) => {
          const sorted = scores.map((_, index) => index).sort((a, b) => scores[b]! - scores[a]! || a - b);
          expect(topK(Float32Array.from(scores), k)).toEqual(sorted.slice(0, k));
        },
      ),
    );
  });
});

describe('agreement', () => {
  it('is the share of rows with the same first place', () => {
    expect(
      agreement(
        [
          [1, 2],
          [2, 1],
          [0, 1],
        ],
        [
          [0, 5],
          [1, 2],
          [3, 4],
        ],
      ).value,
    ).toBeCloseTo(2 / 3);
    expect(() => agreement([[1]], [])).toThrow(RangeError);
  });
});

describe('sqnrDb', () => {
  it('is 20 dB where the error is a tenth', () => {
    expect(sqnrDb([10, -10, 10], [9, -9, 9])).toBeCloseTo(20);
    expect(sqnrDb([1, 2], [1, 2])).toBe(Number.POSITIVE_INFINITY);
    expect(sqnrDb([0], [1])).toBe(Number.NEGATIVE_INFINITY);
    expect(() => sqnrDb([1], [1, 2])).toThrow(RangeError);
  });

  it('can be collected in pieces', () => {
    const reference = [1, 2, 3, 4];
    const other = [1.1, 2.2, 2.7, 4.4];
    const first = energies(reference.slice(0, 2), other.slice(0, 2));
    const second = energies(reference.slice(2), other.slice(2));
    const collected = sqnrDbOfEnergies(first.signal + second.signal, first.noise + second.noise);
    expect(collected).toBeCloseTo(sqnrDb(reference, other), 10);
  });
});

describe('cosine', () => {
  it('knows direction, not length', () => {
    expect(cosine([1, 2, 3], [2, 4, 6])).toBeCloseTo(1);
    expect(cosine([1, 0], [0, 1])).toBe(0);
    expect(cosine([1, 0], [-3, 0])).toBe(-1);
    expect(cosine([0, 0], [0, 0])).toBe(1);
    expect(cosine([0, 0], [1, 0])).toBe(0);
  });
});

describe('klDivergence', () => {
  it('is what the definition says', () => {
    const p = [0.5, 0.25, 0.25];
    const q = [0.25, 0.5, 0.25];
    const expected = 0.5 * Math.log(2) + 0.25 * Math.log(0.5);
    expect(klDivergence(p.map(Math.log), q.map(Math.log))).toBeCloseTo(expected, 12);
    expect(klDivergence(logitsOf(p), logitsOf(q))).toBeCloseTo(expected, 12);
  });

  it('ignores a constant, survives huge logits and is never negative', () => {
    expect(klDivergence([1, 2, 3], [1001, 1002, 1003])).toBeCloseTo(0, 9);
    expect(klDivergence([10_000, 0], [10_000, 0])).toBe(0);
    const row = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(row, row, (a, b) => {
        expect(klDivergence(a, b)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('takes rows for probabilities only where they are', () => {
    expect([...logitsOf([3, -1])]).toEqual([3, -1]);
    expect([...logitsOf([0.5, 0.5])]).toEqual([Math.log(0.5), Math.log(0.5)]);
    expect([...logitsOf([1.5, -0.5])]).toEqual([1.5, -0.5]);
  });
});

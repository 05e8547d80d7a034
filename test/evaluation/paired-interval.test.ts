import { describe, expect, it } from 'vitest';
import { compareAnswers, decodeAnswerBits, encodeAnswerBits } from '../../src/evaluation/answer-bits.ts';
import { pairedScoreInterval } from '../../src/evaluation/paired-interval.ts';
import { z95 } from '../../src/evaluation/statistics.ts';
import { seededRandom } from '../../src/runtime/seeded-random.ts';

describe('pairedScoreInterval', () => {
  it.each([1, 30, 10_000])('is ± z² / (n + z²) where %d samples are all judged alike', (samples) => {
    const { low, high } = pairedScoreInterval(0, 0, samples, z95);
    expect(high).toBeCloseTo(z95 ** 2 / (samples + z95 ** 2), 9);
    expect(low).toBeCloseTo(-high, 9);
  });

  it('solves the score equation at both ends', () => {
    const [b, c, n, z] = [34, 4, 3000, 1.6448536269514722];
    const { low, high } = pairedScoreInterval(b, c, n);
    for (const [delta, expected] of [
      [low, z],
      [high, -z],
    ] as const) {
      const linear = -b - c + (2 * n - b + c) * delta;
      const share = (Math.sqrt(linear ** 2 + 8 * n * c * delta * (1 - delta)) - linear) / (4 * n);
      const score = (b - c - n * delta) / Math.sqrt(n * (2 * share + delta * (1 - delta)));
      expect(score).toBeCloseTo(expected, 6);
    }
  });

  it('is mirrored where the models change places, and holds the estimate', () => {
    for (const [b, c, n] of [
      [5, 1, 100],
      [0, 0, 10],
      [10, 0, 10],
      [1, 0, 1],
      [3, 7, 20],
    ] as const) {
      const { low, high } = pairedScoreInterval(b, c, n);
      const mirrored = pairedScoreInterval(c, b, n);
      expect(low).toBeCloseTo(-mirrored.high, 9);
      expect(high).toBeCloseTo(-mirrored.low, 9);
      expect(low).toBeLessThanOrEqual((b - c) / n);
      expect(high).toBeGreaterThanOrEqual((b - c) / n);
    }
  });

  it('holds the truth at each end in about 95 % of simulated evaluations', () => {
    const random = seededRandom(3);
    const [lost, won, samples, trials] = [0.02, 0.01, 500, 1500];
    let [below, above] = [0, 0];
    for (let trial = 0; trial < trials; trial++) {
      let [b, c] = [0, 0];
      for (let i = 0; i < samples; i++) {
        const draw = random();
        if (draw < lost) b++;
        else if (draw < lost + won) c++;
      }
      const { low, high } = pairedScoreInterval(b, c, samples);
      if (low <= lost - won) below++;
      if (high >= lost - won) above++;
    }
    for (const held of [below, above]) {
      expect(held / trials).toBeGreaterThan(0.93);
      expect(held / trials).toBeLessThan(0.97);
    }
  });

  it('refuses impossible counts', () => {
    expect(() => pairedScoreInterval(3, 3, 5)).toThrow(RangeError);
    expect(() => pairedScoreInterval(0, 0, 0)).toThrow(RangeError);
  });
});

describe('answer bits', () => {
  it('come back as they were, and only at the right length', () => {
    for (const count of [1, 7, 8, 9, 1000]) {
      const answers = Array.from({ length: count }, (_, i) => (i * 7919) % 3 === 0);
      const text = encodeAnswerBits(answers);
      expect(decodeAnswerBits(text, count)).toEqual(answers);
      expect(decodeAnswerBits(text, count + 8)).toBeUndefined();
    }
    expect(decodeAnswerBits('not base64!', 8)).toBeUndefined();
  });

  it('count what was lost and won', () => {
    expect(compareAnswers([true, true, false, false], [true, false, true, false])).toEqual({ b: 1, c: 1 });
    expect(() => compareAnswers([true], [])).toThrow(RangeError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countUnsafePairs,
  MAX_PAIR_SUM,
  neighbourPairs,
  removeUnsafePairs,
} from '../../src/quantization/saturation.ts';

const layouts = fc.record({ inputs: fc.integer({ min: 1, max: 9 }), positions: fc.constantFrom(1, 2, 3, 9) });
const weightsFor = (length: number) =>
  fc.array(fc.oneof(fc.integer({ min: -127, max: 127 }), fc.constantFrom(-127, 127, 64, -64)), {
    minLength: length,
    maxLength: length,
  });
const cases = layouts.chain((layout) => weightsFor(layout.inputs * layout.positions).map((list) => ({ layout, list })));

describe('pairs of neighbours', () => {
  it('cover both orders in which a kernel runs, also with positions padded to whole pairs', () => {
    const pairsOf = (inputs: number, positions: number) => {
      const flat = [...neighbourPairs({ inputs, positions })];
      return flat.filter((_, i) => i % 2 === 0).map((first, i) => [first, flat[2 * i + 1]]);
    };
    expect(pairsOf(4, 1)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    // A single channel has its positions as neighbours; the last is alone.
    expect(pairsOf(1, 3)).toEqual([[0, 1]]);
    // Channel by channel: (c0 p0, c0 p1), (c1 p0, c1 p1); position by position: (c0 p0, c1 p0), (c0 p1, c1 p1).
    expect(pairsOf(2, 2)).toEqual([
      [0, 1],
      [2, 3],
      [0, 2],
      [1, 3],
    ]);
    expect(pairsOf(1, 1)).toEqual([]);
    expect(pairsOf(3, 2)).toContainEqual([0, 2]);
    expect(pairsOf(3, 2)).toContainEqual([1, 3]);
  });

  it('are unsafe exactly where some pair of activations saturates', () => {
    fc.assert(
      fc.property(fc.integer({ min: -128, max: 127 }), fc.integer({ min: -128, max: 127 }), (first, second) => {
        const sums = [0, 255].flatMap((a) => [0, 255].map((b) => a * first + b * second));
        const saturates = sums.some((sum) => sum > 32767 || sum < -32768);
        const isUnsafe = countUnsafePairs(Int8Array.of(first, second), Int32Array.of(0, 1)) > 0;
        expect(isUnsafe).toBe(saturates);
      }),
      { numRuns: 2000 },
    );
    expect(MAX_PAIR_SUM * 255).toBeLessThanOrEqual(32767);
    expect((MAX_PAIR_SUM + 1) * 255).toBeGreaterThan(32767);
  });
});

describe('making pairs safe', () => {
  it('leaves none that can saturate, and touches nothing that is safe', () => {
    fc.assert(
      fc.property(cases, ({ layout, list }) => {
        const pairs = neighbourPairs(layout);
        const weights = Int8Array.from(list);
        const wasSafe = countUnsafePairs(weights, pairs) === 0;
        removeUnsafePairs(weights, pairs);
        expect(countUnsafePairs(weights, pairs)).toBe(0);
        if (wasSafe) expect([...weights]).toEqual(list);
        weights.forEach((weight, i) => {
          const original = list[i]!;
          expect(Math.abs(weight)).toBeLessThanOrEqual(Math.abs(original));
          expect(weight * original).toBeGreaterThanOrEqual(0);
        });
        // A second run finds nothing to do.
        const again = weights.slice();
        removeUnsafePairs(again, pairs);
        expect(again).toEqual(weights);
      }),
      { numRuns: 1000 },
    );
  });

  it('makes the least change where pairs do not overlap', () => {
    fc.assert(
      fc.property(fc.integer({ min: -127, max: 127 }), fc.integer({ min: -127, max: 127 }), (first, second) => {
        const weights = Int8Array.of(first, second);
        removeUnsafePairs(weights, Int32Array.of(0, 1));
        const change = (a: number, b: number) => (a - first) ** 2 + (b - second) ** 2;
        let least = Number.POSITIVE_INFINITY;
        for (let a = -127; a <= 127; a++) {
          for (let b = Math.max(-127, -128 - a); b <= Math.min(127, 128 - a); b++) {
            least = Math.min(least, change(a, b));
          }
        }
        // Opposite signs never saturate: the sum's bounds say nothing about them.
        if (first * second > 0) expect(change(weights[0]!, weights[1]!)).toBe(least);
        else expect([...weights]).toEqual([first, second]);
      }),
      { numRuns: 150 },
    );
  });
});

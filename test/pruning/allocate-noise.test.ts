import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateNoise } from '../../src/pruning/allocate-noise.ts';

const choice = fc.record({
  bits: fc.integer({ min: 0, max: 1_000_000 }),
  noise: fc.integer({ min: 0, max: 1000 }),
});
const layers = fc.array(fc.array(choice, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
const total = (list: { bits: number; noise: number }[][], picked: number[], what: 'bits' | 'noise') =>
  picked.reduce((sum, i, layer) => sum + list[layer]![i]![what], 0);

describe('allocateNoise', () => {
  it('stays below the limit where it can, and never takes more bits for more noise', () => {
    fc.assert(
      fc.property(
        layers,
        fc.double({ min: 0, max: 4e3, noNaN: true }),
        fc.double({ min: 0, max: 2e3, noNaN: true }),
        (list, limit, more) => {
          const least = list.reduce((sum, choices) => sum + Math.min(...choices.map(({ noise }) => noise)), 0);
          const picked = allocateNoise(list, limit);
          const noise = total(list, picked, 'noise');
          if (least <= limit * 0.999) expect(noise).toBeLessThanOrEqual(limit);
          const loose = allocateNoise(list, limit + more);
          expect(total(list, loose, 'bits')).toBeLessThanOrEqual(total(list, picked, 'bits') * (1 + 1e-12));
        },
      ),
    );
  });

  it('is what trying everything finds, up to one step of the convex hull', () => {
    fc.assert(
      fc.property(layers, fc.double({ min: 0, max: 4e3, noNaN: true }), (list, limit) => {
        const all = list.reduce<number[][]>(
          (sets, choices) => sets.flatMap((set) => choices.map((_, i) => [...set, i])),
          [[]],
        );
        const allowed = all.filter((picked) => total(list, picked, 'noise') <= limit);
        if (allowed.length === 0) return;
        const fewest = Math.min(...allowed.map((picked) => total(list, picked, 'bits')));
        const picked = allocateNoise(list, limit);
        if (total(list, picked, 'noise') > limit) return;
        const largestStep = Math.max(...list.map((choices) => Math.max(...choices.map(({ bits }) => bits))));
        expect(total(list, picked, 'bits')).toBeLessThanOrEqual(fewest + largestStep + 1e-6);
      }),
      { numRuns: 60 },
    );
  });

  it('gives more noise to the layer that stands more', () => {
    const steps = (gain: number) =>
      Array.from({ length: 9 }, (_, i) => ({ bits: 1000 * (8 - i), noise: gain * (4 ** i - 1) }));
    const [tough, tender] = allocateNoise([steps(1), steps(64)], 2000);
    // Three bits for 64 times the sensitivity: 6 dB each.
    expect(tough! - tender!).toBe(3);
  });
});

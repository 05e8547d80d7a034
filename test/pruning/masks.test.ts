import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateZeros } from '../../src/pruning/allocate-zeros.ts';
import { lampScores } from '../../src/pruning/lamp-scores.ts';
import { smallestMask } from '../../src/pruning/magnitude-order.ts';
import { nOfMMask } from '../../src/pruning/n-of-m-mask.ts';

const weight = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1, -1, 0.5, -0.5, 1e-42, -1e-42),
);
const weights = (maxLength = 200) =>
  fc.array(weight, { minLength: 1, maxLength }).map((values) => Float32Array.from(values));

describe('smallestMask', () => {
  it('takes what a stable sort by magnitude takes', () => {
    fc.assert(
      fc.property(weights(), fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const count = Math.round(share * values.length);
        const order = [...values.keys()].sort((a, b) => Math.abs(values[a]!) - Math.abs(values[b]!) || a - b);
        const expected = new Uint8Array(values.length);
        for (const index of order.slice(0, count)) expected[index] = 1;
        expect(smallestMask(values, count)).toEqual(expected);
      }),
    );
  });

  it('never takes what is not a number for small', () => {
    const values = Float32Array.of(Number.NaN, 3, Number.NEGATIVE_INFINITY, -2);
    expect([...smallestMask(values, 2)]).toEqual([0, 1, 0, 1]);
    expect([...smallestMask(values, 3)]).toEqual([0, 1, 1, 1]);
  });
});

describe('lampScores', () => {
  it('are those of the definition', () => {
    // Squares 0, 1, 4, 9 over the sums of what is not smaller: 14, 14, 13, 9.
    const scores = lampScores(Float32Array.of(-2, 0, 3, 1));
    expect([...scores]).toEqual([0, Math.fround(1 / 14), Math.fround(4 / 13), 1]);
  });

  it('ascend from 0 to 1 and do not change with the scale of a layer', () => {
    fc.assert(
      fc.property(weights(), (values) => {
        const scores = lampScores(values);
        for (let i = 1; i < scores.length; i++) expect(scores[i]!).toBeGreaterThanOrEqual(scores[i - 1]!);
        if (values.some((value) => value !== 0)) expect(scores.at(-1)).toBe(1);
        else expect(scores.at(-1)).toBe(0);
        const moderate = values.filter((value) => Math.abs(value) > 1e-10 && Math.abs(value) < 1e10);
        expect(lampScores(moderate.map((value) => value * 4))).toEqual(lampScores(moderate));
      }),
    );
  });

  it('are 0 for zeros and 1 for what is not finite', () => {
    expect([...lampScores(new Float32Array(3))]).toEqual([0, 0, 0]);
    expect([...lampScores(Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY, 0))]).toEqual([0, 1, 1, 1]);
  });
});

describe('allocateZeros', () => {
  const layers = fc.array(weights(40), { minLength: 1, maxLength: 6 });

  it('gives out exactly what is asked for, one threshold for all, and leaves each layer its highest', () => {
    fc.assert(
      fc.property(layers, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const scores = all.map(lampScores);
        const elements = scores.reduce((sum, layer) => sum + layer.length, 0);
        const count = Math.round(share * elements);
        const zeros = allocateZeros(scores, count);
        // A layer of zeros has no highest to keep.
        const kept = scores.filter((layer) => layer.at(-1) !== 0);
        expect(zeros.reduce((a, b) => a + b, 0)).toBe(Math.min(count, elements - kept.length));
        for (const [i, layer] of scores.entries()) {
          if (kept.includes(layer)) expect(zeros[i]).toBeLessThan(layer.length);
        }
        const highestTaken = Math.max(-1, ...scores.map((layer, i) => layer[zeros[i]! - 1] ?? -1));
        const lowestLeft = scores.map((layer, i) => (zeros[i]! < layer.length - 1 ? layer[zeros[i]!]! : 1));
        expect(Math.min(...lowestLeft)).toBeGreaterThanOrEqual(highestTaken);
      }),
    );
  });

  it('gives equal scores to the first layers first', () => {
    const layer = Float32Array.of(0.25, 0.25, 1);
    expect(allocateZeros([layer, layer, layer], 3)).toEqual([2, 1, 0]);
    expect(allocateZeros([layer, layer], 100)).toEqual([2, 2]);
    expect(allocateZeros([], 3)).toEqual([]);
  });

  it('takes little from a thin layer that plain magnitudes would empty', () => {
    const wide = Float32Array.from({ length: 1000 }, (_, i) => 1 + i / 1000);
    const thin = Float32Array.from({ length: 10 }, (_, i) => 0.001 + i / 1e5);
    const [fromWide, fromThin] = allocateZeros([lampScores(wide), lampScores(thin)], 500) as [number, number];
    expect(fromWide + fromThin).toBe(500);
    expect(fromThin).toBeLessThan(3);
  });
});

describe('nOfMMask', () => {
  it('leaves the largest of each group along the axis', () => {
    // Two outputs of four inputs, side by side: columns are output channels.
    const values = Float32Array.of(1, -8, 2, 7, -3, 6, 4, 5);
    expect([...nOfMMask(values, { outer: 1, length: 4, inner: 2 }, 2, 4)]).toEqual([1, 0, 1, 0, 0, 1, 0, 1]);
    expect([...nOfMMask(values, { outer: 2, length: 4, inner: 1 }, 1, 2)]).toEqual([1, 0, 1, 0, 1, 0, 1, 0]);
  });

  it('leaves at most n of every m, those of the largest sum', () => {
    const shape = fc.record({
      outer: fc.integer({ min: 1, max: 3 }),
      length: fc.integer({ min: 1, max: 11 }),
      inner: fc.integer({ min: 1, max: 3 }),
      group: fc.integer({ min: 2, max: 5 }),
    });
    fc.assert(
      fc.property(shape, fc.infiniteStream(weight), ({ group, ...axis }, stream) => {
        const values = Float32Array.from({ length: axis.outer * axis.length * axis.inner }, () => stream.next().value);
        const keep = group - 1;
        const mask = nOfMMask(values, axis, keep, group);
        for (let o = 0; o < axis.outer; o++) {
          for (let i = 0; i < axis.inner; i++) {
            for (let start = 0; start < axis.length; start += group) {
              const indices: number[] = [];
              for (let k = start; k < Math.min(axis.length, start + group); k++) {
                indices.push((o * axis.length + k) * axis.inner + i);
              }
              const gone = indices.filter((index) => mask[index] === 1);
              expect(gone.length).toBe(Math.max(0, indices.length - keep));
              const kept = indices.filter((index) => mask[index] === 0).map((index) => Math.abs(values[index]!));
              for (const index of gone) expect(Math.abs(values[index]!)).toBeLessThanOrEqual(Math.min(...kept));
            }
          }
        }
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitsOf, parametersOfRange, rangeOfParameters } from '../../src/quantization/quantization-parameters.ts';

const bound = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.double({ min: -1e-3, max: 1e-3, noNaN: true }),
  fc.constantFrom(0, 1, -1, 1e-20, -1e-20, 255, -128),
);
const ranges = fc.tuple(bound, bound).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
const types = fc.constantFrom('uint8', 'int8');

describe('parameters of a range', () => {
  it('represent zero exactly and are valid', () => {
    fc.assert(
      fc.property(ranges, types, fc.boolean(), (range, type, symmetric) => {
        const { scale, zeroPoint, type: given } = parametersOfRange(range, type, symmetric);
        const limits = limitsOf(type);
        expect(given).toBe(type);
        expect(Number.isInteger(zeroPoint)).toBe(true);
        expect(zeroPoint).toBeGreaterThanOrEqual(limits.min);
        expect(zeroPoint).toBeLessThanOrEqual(limits.max);
        expect(scale).toBe(Math.fround(scale));
        expect(scale).toBeGreaterThan(0);
        expect(Object.is(zeroPoint, -0)).toBe(false);
      }),
    );
  });

  it('cover the range but for half a step, and are not wider than one step more', () => {
    fc.assert(
      fc.property(ranges, types, (range, type) => {
        const parameters = parametersOfRange(range, type, false);
        const covered = rangeOfParameters(parameters);
        const slack = parameters.scale * 0.5001;
        const [min, max] = [Math.min(0, range.min), Math.max(0, range.max)];
        expect(covered.min).toBeLessThanOrEqual(min + slack);
        expect(covered.max).toBeGreaterThanOrEqual(max - slack);
        if (max - min > 1e-25) expect(parameters.scale * 255).toBeLessThan((max - min) * 1.000001);
      }),
    );
  });

  it('are centred where they are to be symmetric, and hold the larger end', () => {
    fc.assert(
      fc.property(ranges, types, (range, type) => {
        const { scale, zeroPoint } = parametersOfRange(range, type, true);
        expect(zeroPoint).toBe(type === 'int8' ? 0 : 128);
        const limit = Math.max(Math.abs(Math.min(0, range.min)), Math.max(0, range.max));
        if (limit > 1e-25) expect(Math.abs(scale * 127 - limit)).toBeLessThan(1e-6 * limit);
      }),
    );
  });

  it('of known ranges', () => {
    expect(parametersOfRange({ min: 0, max: 255 }, 'uint8', false)).toEqual({ scale: 1, zeroPoint: 0, type: 'uint8' });
    expect(parametersOfRange({ min: 0, max: 255 }, 'int8', false)).toEqual({ scale: 1, zeroPoint: -128, type: 'int8' });
    expect(parametersOfRange({ min: -128, max: 127 }, 'uint8', false).zeroPoint).toBe(128);
    // A range away from zero is widened to it.
    expect(parametersOfRange({ min: 5, max: 51 }, 'uint8', false).scale).toBe(Math.fround(0.2));
    expect(parametersOfRange({ min: -51, max: -5 }, 'uint8', false).zeroPoint).toBe(255);
  });

  it('of nothing but zeros have the scale 1', () => {
    for (const symmetric of [true, false]) {
      expect(parametersOfRange({ min: 0, max: 0 }, 'uint8', symmetric).scale).toBe(1);
    }
    expect(parametersOfRange({ min: 0, max: 1e-40 }, 'uint8', false).scale).toBe(1);
  });
});

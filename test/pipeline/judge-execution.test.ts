import { describe, expect, it } from 'vitest';
import { chooseExecution, isOpen, type TimedVariant, verdictOf } from '../../src/pipeline/judge-execution.ts';
import { planMixed } from '../../src/pipeline/plan-mixed.ts';

function variant(
  execution: TimedVariant['execution'],
  low: number,
  value: number,
  high: number,
  sameKernels = execution === 'weights' || execution === 'float',
): TimedVariant {
  return { execution, detail: '', sameKernels, ratio: { value, low, high } };
}

describe('what a ratio says', () => {
  it.each([
    [0.5, 0.6, 0.99, 'faster', 'faster'],
    [1.01, 1.3, 1.4, 'slower', 'slower'],
    [0.9, 0.98, 1.1, 'not-slower', 'not-slower'],
    [0.9, 1.02, 1.1, 'undecided', 'not-slower'],
  ] as const)('%d, %d, %d', (low, value, high, ofIntegers, ofSameKernels) => {
    expect(verdictOf(variant('int8', low, value, high))).toBe(ofIntegers);
    expect(verdictOf(variant('weights', low, value, high))).toBe(ofSameKernels);
  });

  it('is worth more measuring where other kernels may be either', () => {
    expect(isOpen(variant('int8', 0.9, 1.02, 1.1))).toBe(true);
    expect(isOpen(variant('int8', 1.01, 1.02, 1.1))).toBe(false);
    expect(isOpen(variant('weights', 0.9, 1.02, 1.1))).toBe(false);
  });
});

describe('what is shipped', () => {
  const shipped = (...variants: TimedVariant[]) => chooseExecution(variants)?.execution;
  const slowInt8 = variant('int8', 1.4, 1.5, 1.6);

  it('is what the recipe made, unless it is slower', () => {
    expect(shipped(variant('int8', 0.9, 0.95, 0.99), variant('mixed', 0.4, 0.5, 0.6))).toBe('int8');
    expect(shipped(variant('int8', 0.9, 0.99, 1.1), variant('weights', 0.9, 0.95, 1))).toBe('int8');
    expect(shipped(slowInt8, variant('weights', 0.98, 1, 1.02))).toBe('weights');
    expect(shipped(variant('int8', 0.9, 1.01, 1.1), variant('weights', 0.98, 1.005, 1.02))).toBe('weights');
  });

  it('is mixed only where that is surely faster than the original, and than all in float', () => {
    const weights = variant('weights', 0.98, 1, 1.02);
    expect(shipped(slowInt8, variant('mixed', 0.7, 0.8, 0.9), weights)).toBe('mixed');
    expect(shipped(slowInt8, variant('mixed', 0.97, 0.98, 0.99), weights)).toBe('weights');
    expect(shipped(slowInt8, variant('mixed', 0.7, 0.8, 1.1), weights)).toBe('weights');
    expect(shipped(slowInt8, variant('mixed', 0.7, 0.8, 0.9), variant('weights', 1.1, 1.2, 1.3))).toBe('mixed');
  });

  it('is the faster of two float forms, and nothing that is slower', () => {
    const products = variant('weights', 0.6, 0.7, 0.8, false);
    expect(chooseExecution([slowInt8, products, variant('weights', 0.9, 1, 1.1)])).toBe(products);
    expect(shipped(slowInt8, variant('weights', 1.1, 1.2, 1.3))).toBeUndefined();
  });
});

describe('which layers compute in float', () => {
  const layer = (name: string, int8Ms: number, floatMs: number, borderMs = 0.1) => ({
    name,
    int8Ms,
    floatMs,
    borderMs,
  });

  it('are a region whose gain pays for its borders', () => {
    const layers = [layer('a', 1, 3), layer('b', 1, 3), layer('c', 5, 1), layer('d', 4, 1), layer('e', 1, 4)];
    expect(planMixed(layers)).toEqual([['c', 'd']]);
  });

  it('are none where a border takes more than is gained, or where one precision suits all', () => {
    expect(planMixed([layer('a', 1, 3), layer('b', 2, 1.9), layer('c', 1, 3)])).toEqual([]);
    expect(planMixed([layer('a', 3, 1), layer('b', 3, 1)])).toEqual([]);
    expect(planMixed([layer('a', 1, 3), layer('b', 1, 3)])).toEqual([]);
    expect(planMixed([])).toEqual([]);
  });

  it('are tried with dearer borders as well, where that is another plan', () => {
    const layers = [layer('a', 1, 9), layer('b', 3, 2.5), layer('c', 1, 9), layer('d', 9, 1), layer('e', 9, 1)];
    expect(planMixed(layers)).toEqual([
      ['b', 'd', 'e'],
      ['d', 'e'],
    ]);
  });
});

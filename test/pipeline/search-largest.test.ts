import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/pipeline/loss-judge.ts';
import { MAX_TRIES, type SizedPlan, searchLargest } from '../../src/pipeline/search-largest.ts';

interface FakePlan extends SizedPlan {
  readonly noise: number;
}

/** Plans of which a quarter of the bits goes with every fourfold noise, and a scorer whose measured noise is off by a factor. */
function fakeSearch(options: { factor?: number; power?: number; base?: number; limit?: number } = {}) {
  const { factor = 1, power = 1, base = 1, limit = 100 } = options;
  const judged: number[] = [];
  const plan = (noise: number): FakePlan => ({
    noise,
    bits: 8000 - 500 * Math.log2(1 + noise),
    key: noise.toPrecision(3),
  });
  const verdictOf = (noise: number): Verdict => ({
    admissible: noise <= limit,
    noise,
    noiseLimit: limit,
    description: '',
  });
  return {
    judged,
    options: {
      base: verdictOf(base),
      plan,
      judge: async ({ noise }: FakePlan) => {
        judged.push(noise);
        return verdictOf(base + factor * noise ** power);
      },
      stopped: () => undefined as string | undefined,
    },
    best: plan(((limit - base) / factor) ** (1 / power)),
  };
}

describe('searchLargest', () => {
  it.each([
    ['noise as expected', {}],
    ['three times the noise expected', { factor: 3 }],
    ['a fifth of the noise expected', { factor: 0.2 }],
    ['noise that grows faster than expected', { factor: 0.5, power: 1.6 }],
    ['noise that grows slower than expected', { factor: 2, power: 0.7 }],
  ])('finds the largest admissible: %s', async (_, shape) => {
    const { options, best, judged } = fakeSearch(shape);
    const result = await searchLargest(options);
    expect(result.best!.verdict.admissible).toBe(true);
    expect(result.best!.plan.bits).toBeLessThan(best.bits * 1.08);
    expect(judged.length).toBeLessThanOrEqual(MAX_TRIES);
    for (const { plan, verdict } of result.tried) {
      if (verdict.admissible) expect(plan.bits).toBeGreaterThanOrEqual(result.best!.plan.bits);
    }
  });

  it('tries nothing where int8 alone takes up the limit', async () => {
    for (const base of [97, 150]) {
      const { options, judged } = fakeSearch({ base });
      expect(await searchLargest(options)).toMatchObject({ best: undefined, ended: 'int8 alone takes up the limit' });
      expect(judged).toEqual([]);
    }
  });

  it('ends with the best so far when it is stopped, and offers that only once there is one', async () => {
    const { options } = fakeSearch({ factor: 0.1 });
    let reason: string | undefined;
    const offers: number[] = [];
    let tries = 0;
    const result = await searchLargest({
      ...options,
      stopped: () => reason,
      onTry: (tried) => {
        tries = tried;
      },
      onBest: () => {
        offers.push(tries);
        reason = 'it was interrupted';
      },
    });
    expect(result.ended).toBe('it was interrupted');
    expect(result.tried.map(({ verdict }) => verdict.admissible)).toEqual([true]);
    expect(result.best).toBe(result.tried[0]);
    expect(offers).toEqual([1]);
  });

  it('comes back with nothing where it is stopped before the first try, or nothing is admissible', async () => {
    const early = fakeSearch();
    expect(await searchLargest({ ...early.options, stopped: () => 'the time limit was reached' })).toEqual({
      best: undefined,
      tried: [],
      ended: 'the time limit was reached',
    });
    const { options, judged } = fakeSearch();
    const refuse = async (): Promise<Verdict> => ({ admissible: false, noise: 500, noiseLimit: 100, description: '' });
    const result = await searchLargest({ ...options, judge: refuse });
    expect(result.best).toBeUndefined();
    expect(result.tried.length).toBe(MAX_TRIES);
    expect(judged).toEqual([]);
  });
});

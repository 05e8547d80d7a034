import { describe, expect, it } from 'vitest';
import { medianInterval, medianRatioInterval } from '../../src/evaluation/median-interval.ts';

/** Numbers in (0, 1), the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

describe('the interval of a median', () => {
  it.each([12, 20, 100])('covers the true median in about 95 of 100 cases, %i measurements', (count) => {
    const random = randomNumbers(count);
    const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    let covered = 0;
    let ratioCovered = 0;
    const trials = 2000;
    for (let trial = 0; trial < trials; trial++) {
      const slow = Array.from({ length: count }, () => 6 * Math.exp(0.3 * normal()));
      const fast = Array.from({ length: count }, () => 2 * Math.exp(0.2 * normal()));
      const interval = medianInterval(slow)!;
      const ratio = medianRatioInterval(slow, fast)!;
      if (interval.low <= 6 && 6 <= interval.high) covered++;
      if (ratio.low <= 3 && 3 <= ratio.high) ratioCovered++;
    }
    expect(covered / trials).toBeGreaterThan(0.925);
    expect(covered / trials).toBeLessThan(0.99);
    expect(ratioCovered / trials).toBeGreaterThan(0.93);
    expect(ratioCovered / trials).toBeLessThan(0.99);
  });

  it('is the value itself where all measurements are the same, and none for few or impossible ones', () => {
    const same = medianInterval(Array(10).fill(3))!;
    for (const end of [same.value, same.low, same.high]) expect(end).toBeCloseTo(3, 12);
    expect(medianInterval([1, 2, 3])).toBeNull();
    expect(medianInterval([...Array(10).fill(3), 0])).toBeNull();
    expect(medianRatioInterval(Array(10).fill(3), [1])).toBeNull();
  });
});

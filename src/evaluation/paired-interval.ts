import type { Interval } from './bootstrap-interval.ts';

/** One-sided 95 % quantile of the normal distribution: each end of the interval is believed in by itself. */
export const z90 = 1.6448536269514722;

/**
 * Score interval of the difference (b - c) / samples of two models on the same samples, both ends one-sided 95 %. Unlike the
 * difference ± its standard error it holds for few samples and for few that were judged differently.
 * Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
 * Statistics in Medicine 17 (1998).
 * @param b right before, wrong after.
 * @param c wrong before, right after.
 * @throws RangeError where b + c exceeds the samples.
 */
export function pairedScoreInterval(b: number, c: number, samples: number, z = z90): Interval {
  if (!(samples > 0) || b < 0 || c < 0 || b + c > samples) {
    throw new RangeError(`${b} and ${c} of ${samples} are no paired counts`);
  }
  const estimate = (b - c) / samples;
  return {
    low: c === samples ? -1 : crossing(-1, estimate, (delta) => score(b, c, samples, delta) <= z),
    high: b === samples ? 1 : crossing(estimate, 1, (delta) => score(b, c, samples, delta) < -z),
  };
}

/** How many standard errors the counts lie above what a true difference of `delta` would give. */
function score(b: number, c: number, samples: number, delta: number): number {
  // The share of c under the hypothesis, by maximum likelihood.
  const linear = -b - c + (2 * samples - b + c) * delta;
  const share =
    (Math.sqrt(Math.max(0, linear * linear + 8 * samples * c * delta * (1 - delta))) - linear) / (4 * samples);
  const variance = samples * (2 * share + delta * (1 - delta));
  const distance = b - c - samples * delta;
  if (variance > 0) return distance / Math.sqrt(variance);
  return distance === 0 ? 0 : distance * Number.POSITIVE_INFINITY;
}

/** The place between `low` and `high` from where on `isBeyond` holds, by bisection. */
function crossing(low: number, high: number, isBeyond: (delta: number) => boolean): number {
  let before = low;
  let after = high;
  for (let i = 0; i < 60; i++) {
    const middle = (before + after) / 2;
    if (isBeyond(middle)) after = middle;
    else before = middle;
  }
  return (before + after) / 2;
}

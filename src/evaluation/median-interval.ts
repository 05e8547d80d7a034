/** A median of repeated measurements with its 95 % interval. */
export interface MedianInterval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Fewer measurements say nothing about how far a median may be off. */
const MIN_SAMPLES = 8;
const z95 = 1.959963984540054;

/**
 * 95 % interval of a median of positive measurements, or null for fewer than 8; no distribution is assumed.
 * Source: R. M. Price and D. G. Bonett, "Distribution-free confidence intervals for difference and ratio of medians",
 * Journal of Statistical Computation and Simulation 72 (2002), on the logarithms.
 */
export function medianInterval(samples: readonly number[]): MedianInterval | null {
  const found = logMedian(samples);
  return found === null ? null : around(found.median, Math.sqrt(found.variance));
}

/** 95 % interval of the ratio of two medians, `numerator` / `denominator`; as {@link medianInterval}. */
export function medianRatioInterval(
  numerator: readonly number[],
  denominator: readonly number[],
): MedianInterval | null {
  const above = logMedian(numerator);
  const below = logMedian(denominator);
  if (above === null || below === null) return null;
  return around(above.median - below.median, Math.sqrt(above.variance + below.variance));
}

function around(logarithm: number, standardError: number): MedianInterval {
  const half = z95 * standardError;
  return { value: Math.exp(logarithm), low: Math.exp(logarithm - half), high: Math.exp(logarithm + half) };
}

/** The median of the logarithms and the variance of that median, from two order statistics around it. */
function logMedian(samples: readonly number[]): { readonly median: number; readonly variance: number } | null {
  const count = samples.length;
  if (count < MIN_SAMPLES || samples.some((sample) => !(sample > 0))) return null;
  const sorted = samples.map(Math.log).sort((a, b) => a - b);
  const middle = (count - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  const rank = Math.max(1, Math.round((count + 1) / 2 - Math.sqrt(count)));
  // The normal approximation of how often an interval between these ranks covers the median.
  const z = (count - 2 * rank + 1) / Math.sqrt(count);
  return { median, variance: ((sorted[count - rank]! - sorted[rank - 1]!) / (2 * z)) ** 2 };
}

import { quantileOfSorted } from '../runtime/latency.ts';
import { seededRandom } from '../runtime/seeded-random.ts';
import { z95 } from './statistics.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** The same seed gives the same interval. Default 0. */
  readonly seed?: number;
  /** Default 2,000: the ends of the intervals then rest on 30 to 50 resamples each. */
  readonly resamples?: number;
  /** Neighbours that are drawn together, where they resemble each other. Default 1: every item by itself. */
  readonly blockLength?: number;
}

/**
 * 95 % percentile bootstrap intervals of statistics of `count` items: the items are drawn anew with replacement many
 * times, and the interval of each statistic is the middle part of its values. The part is a little more than 95 %, as
 * much as makes up for few items: an interval of the mean then is as wide as Student's.
 *
 * Percentile and not BCa: BCa takes its acceleration from the jackknife, which does not work for medians and other
 * quantiles (leaving one item out moves them by a step or not at all), while the percentile interval of a quantile is
 * close to the exact one from order statistics and, like it, does not change with the scale (ms or log ms).
 *
 * Items are what is independent. Runs of a model that follow each other share the state of the host, so that single runs
 * drawn anew would promise several times the precision there is: latencies are drawn by whole rounds, and where rounds
 * resemble their neighbours, by blocks of rounds ({@link blockLengthOf}).
 *
 * Sources: few items: T. Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69 (2015),
 * section on expanded percentile intervals; B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 11, 13 and 14; circular
 * blocks: D. Politis and J. Romano in "Exploring the Limits of Bootstrap" (1992).
 *
 * @param statistics gets how often each of the `count` items was drawn; the array is used again for the next call.
 * @returns one interval per statistic.
 * @throws RangeError without items.
 */
export function bootstrapIntervals(
  count: number,
  statistics: (drawn: Int32Array) => readonly number[],
  { seed = 0, resamples = 2000, blockLength = 1 }: BootstrapOptions = {},
): Interval[] {
  if (count < 1) throw new RangeError('nothing to resample');
  const random = seededRandom(seed);
  const drawn = new Int32Array(count);
  const values: Float64Array[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    drawn.fill(0);
    for (let left = count; left > 0; left -= blockLength) {
      const start = Math.floor(random() * count);
      for (let i = 0; i < Math.min(blockLength, left); i++) drawn[(start + i) % count]!++;
    }
    const found = statistics(drawn);
    for (let i = 0; i < found.length; i++) {
      values[i] ??= new Float64Array(resamples);
      values[i]![resample] = found[i]!;
    }
  }
  const tail = tailShare(count / blockLength);
  return values.map((sample) => {
    sample.sort();
    return { low: quantileOfSorted(sample, tail), high: quantileOfSorted(sample, 1 - tail) };
  });
}

/** Share of the resamples to leave out at each end: 2.5 % for many items, less for few. */
function tailShare(items: number): number {
  return items < 2 ? 0 : normalTail(Math.sqrt(items / (items - 1)) * studentQuantile(items - 1));
}

/** 97.5 % quantile of Student's distribution, by the expansion of R. Fisher and E. Cornish (1960); within 0.3 % from 4 degrees of freedom on. */
function studentQuantile(degrees: number): number {
  const z = z95;
  return (
    z +
    (z ** 3 + z) / (4 * degrees) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
  );
}

/** Share of the normal distribution above x >= 0. Source: M. Abramowitz and I. Stegun, formula 26.2.17; within 7.5e-8. */
function normalTail(x: number): number {
  const t = 1 / (1 + 0.2316419 * x);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

/**
 * How many neighbours to draw together, for a series whose items resemble their neighbours: the length that is best for
 * a first-order autoregressive series with this one's correlation, (2 r / (1 - r²))^(2/3) · (3/2 · n)^(1/3), at most n / 4;
 * 1 where r is no larger than chance makes it. The correlation is that of the ranks, so that a single outlier says nothing.
 * Source: H. Künsch, Annals of Statistics 17 (1989), for block lengths of n^(1/3); the constant as D. Politis and H. White
 * give it for circular blocks, Econometric Reviews 23 (2004).
 */
export function blockLengthOf(series: Float64Array): number {
  const r = neighbourCorrelation(series);
  if (!(r > 1.645 / Math.sqrt(series.length))) return 1;
  const length = ((2 * r) / (1 - r * r)) ** (2 / 3) * (1.5 * series.length) ** (1 / 3);
  return Math.max(1, Math.min(Math.floor(series.length / 4), Math.round(length)));
}

/** Correlation of each item's rank with that of the next one, in [-1, 1]; 0 where there are fewer than 3 or all are equal. */
export function neighbourCorrelation(series: Float64Array): number {
  if (series.length < 3) return 0;
  const sorted = series.slice().sort();
  // Equal items share the middle of their places.
  const ranks = series.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
  const mean = (series.length - 1) / 2;
  let together = 0;
  let own = 0;
  for (let i = 0; i < ranks.length; i++) {
    own += (ranks[i]! - mean) ** 2;
    if (i > 0) together += (ranks[i]! - mean) * (ranks[i - 1]! - mean);
  }
  return own === 0 ? 0 : together / own;
}

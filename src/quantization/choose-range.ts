import type { QuantizedType, Range } from './quantization-parameters.ts';

export type CalibrationMethod = 'min-max' | 'percentile' | 'entropy' | 'mse';

/** How often values fall into bins; bins in ascending order, empty ones may be left out. */
export interface ValueHistogram {
  /** The smallest and the largest value that each bin can hold. */
  readonly lower: ArrayLike<number>;
  readonly upper: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

/** What calibration knows of one tensor: its extremes, and, where a method asks for it, how its values are spread. */
export interface ActivationStatistics extends Range {
  readonly histogram?: ValueHistogram;
}

/** True where a method needs more than the extremes. */
export function needsHistogram(method: CalibrationMethod): boolean {
  return method !== 'min-max';
}

/**
 * The range of real values to be represented in 8 bits.
 * - `min-max`: the extremes seen.
 * - `percentile`: the central 99.999 % of the values.
 * - `mse`: the range with the least expected squared error of rounding and clipping together.
 * - `entropy`: the range whose 8-bit distribution has the least Kullback-Leibler divergence to the one seen
 *   (S. Migacz, 8-bit inference with TensorRT, GTC 2017), searched on both sides.
 */
export function chooseRange(
  statistics: ActivationStatistics,
  method: CalibrationMethod,
  type: QuantizedType,
  symmetric: boolean,
): Range {
  const { min, max, histogram } = statistics;
  if (method === 'min-max' || histogram === undefined || !(max > min)) return { min, max };
  const spread = distributionOf(histogram, { min, max });
  if (spread.total === 0) return { min, max };
  if (method === 'percentile') return spread.central(0.99999);
  const steps = symmetric ? 254 : type === 'uint8' || type === 'int8' ? 255 : 0;
  return method === 'mse' ? leastSquaredError(spread, steps, symmetric) : leastDivergence(spread, symmetric);
}

const distributions = new WeakMap<ValueHistogram, Distribution>();

/** The same histogram is asked once per method. */
function distributionOf(histogram: ValueHistogram, range: Range): Distribution {
  const known = distributions.get(histogram);
  if (known !== undefined && known.range.min === range.min && known.range.max === range.max) return known;
  const distribution = new Distribution(histogram, range);
  distributions.set(histogram, distribution);
  return distribution;
}

/** The values of a histogram in ascending order, with running sums, so that any range costs two binary searches. */
class Distribution {
  readonly range: Range;
  readonly total: number;
  readonly values: Float64Array;
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;

  /** Bins stand for the middle of the values that they can hold, clipped to the exact extremes; the one around zero for zero. */
  constructor({ lower, upper, counts }: ValueHistogram, range: Range) {
    const bins = counts.length;
    this.range = range;
    this.values = new Float64Array(bins);
    this.#counts = new Float64Array(bins + 1);
    this.#sums = new Float64Array(bins + 1);
    this.#squares = new Float64Array(bins + 1);
    for (let i = 0; i < bins; i++) {
      const low = lower[i]!;
      const high = upper[i]!;
      const middle = Math.abs(high) < 1e-37 || Math.abs(low) < 1e-37 ? 0 : (low + high) / 2;
      const value = Math.min(range.max, Math.max(range.min, middle));
      const count = counts[i]!;
      this.values[i] = value;
      this.#counts[i + 1] = this.#counts[i]! + count;
      this.#sums[i + 1] = this.#sums[i]! + count * value;
      this.#squares[i + 1] = this.#squares[i]! + count * value * value;
    }
    this.total = this.#counts[bins]!;
  }

  /** Number of values below `limit`, as an index into the running sums. */
  indexOf(limit: number): number {
    let low = 0;
    let high = this.values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.values[middle]! < limit) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  count(from: number, to: number): number {
    return this.#counts[to]! - this.#counts[from]!;
  }

  /** Sum of (value - point)² over the bins from..to-1. */
  squaredDistance(from: number, to: number, point: number): number {
    const squares = this.#squares[to]! - this.#squares[from]!;
    const sums = this.#sums[to]! - this.#sums[from]!;
    return Math.max(0, squares - 2 * point * sums + point * point * this.count(from, to));
  }

  /** The range that holds the given share of the values, the rest cut evenly at both ends. */
  central(share: number): Range {
    const cut = ((1 - share) / 2) * this.total;
    let low = 0;
    while (low < this.values.length - 1 && this.#counts[low + 1]! <= cut) low++;
    let high = this.values.length - 1;
    while (high > low && this.total - this.#counts[high]! <= cut) high--;
    return { min: Math.max(this.range.min, this.values[low]!), max: Math.min(this.range.max, this.values[high]!) };
  }
}

/** Fractions of the full range that are tried as ends. */
const SHRINKS = Array.from({ length: 40 }, (_, i) => 1 - i * 0.02);

function leastSquaredError(spread: Distribution, steps: number, symmetric: boolean): Range {
  const min = Math.min(0, spread.range.min);
  const max = Math.max(0, spread.range.max);
  const limit = Math.max(-min, max);
  const lows = (symmetric ? SHRINKS.map((shrink) => -limit * shrink) : ends(min)).map((end) => {
    const index = spread.indexOf(end);
    return { end, index, clipped: spread.squaredDistance(0, index, end) };
  });
  const highs = (symmetric ? SHRINKS.map((shrink) => limit * shrink) : ends(max)).map((end) => {
    const index = spread.indexOf(end);
    return { end, index, clipped: spread.squaredDistance(index, spread.values.length, end) };
  });
  let best = { min, max };
  let bestError = Number.POSITIVE_INFINITY;
  for (const [i, high] of highs.entries()) {
    for (const low of symmetric ? [lows[i]!] : lows) {
      const clipped = low.clipped + high.clipped;
      if (clipped >= bestError) continue;
      const step = (high.end - low.end) / steps;
      // Values within half a step of zero become zero; the others are off by a uniform error of variance step²/12.
      const deadLow = spread.indexOf(Math.max(low.end, -step / 2));
      const deadHigh = spread.indexOf(Math.min(high.end, step / 2));
      const rounded = spread.count(low.index, high.index) - spread.count(deadLow, deadHigh);
      const error = clipped + spread.squaredDistance(deadLow, deadHigh, 0) + (rounded * step * step) / 12;
      if (error < bestError) {
        bestError = error;
        best = { min: low.end, max: high.end };
      }
    }
  }
  return best;
}

/** The ends that are tried on one side of zero. */
function ends(extreme: number): readonly number[] {
  return extreme === 0 ? [0] : SHRINKS.map((shrink) => extreme * shrink);
}

const ENTROPY_BINS = 2048;
const ENTROPY_LEVELS = 256;

function leastDivergence(spread: Distribution, symmetric: boolean): Range {
  const { min, max } = spread.range;
  const limit = Math.max(-min, max);
  const start = symmetric ? -limit : Math.min(0, min);
  const end = symmetric ? limit : Math.max(0, max);
  const width = (end - start) / ENTROPY_BINS;
  const counts = new Float64Array(ENTROPY_BINS);
  for (let i = 0; i < spread.values.length; i++) {
    const bin = Math.min(ENTROPY_BINS - 1, Math.floor((spread.values[i]! - start) / width));
    counts[bin]! += spread.count(i, i + 1);
  }
  const zero = Math.min(ENTROPY_BINS, Math.max(0, Math.round(-start / width)));
  let best = { min: start, max: end };
  let bestDivergence = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 64; i++) {
    const keep = 1 - i / 80;
    const low = Math.round(zero * (1 - keep));
    const high = ENTROPY_BINS - Math.round((ENTROPY_BINS - zero) * (1 - keep));
    if (high - low < ENTROPY_LEVELS) break;
    const divergence = clippedDivergence(counts, low, high);
    if (divergence < bestDivergence) {
      bestDivergence = divergence;
      best = { min: start + low * width, max: start + high * width };
    }
  }
  return best;
}

/** KL divergence of counts clipped to low..high from the same merged into 256 levels and spread out again. */
function clippedDivergence(counts: Float64Array, low: number, high: number): number {
  const reference = counts.slice(low, high);
  for (let i = 0; i < low; i++) reference[0]! += counts[i]!;
  for (let i = high; i < counts.length; i++) reference[reference.length - 1]! += counts[i]!;
  let total = 0;
  let kept = 0;
  for (let i = 0; i < reference.length; i++) {
    total += reference[i]!;
    kept += counts[low + i]!;
  }
  if (kept === 0) return Number.POSITIVE_INFINITY;
  let divergence = 0;
  const perLevel = reference.length / ENTROPY_LEVELS;
  for (let level = 0; level < ENTROPY_LEVELS; level++) {
    const from = Math.round(level * perLevel);
    const to = Math.round((level + 1) * perLevel);
    let sum = 0;
    let occupied = 0;
    for (let i = from; i < to; i++) {
      sum += counts[low + i]!;
      if (reference[i]! > 0) occupied++;
    }
    for (let i = from; i < to; i++) {
      if (reference[i]! === 0) continue;
      const p = reference[i]! / total;
      const q = sum > 0 ? sum / occupied / kept : 1e-12;
      divergence += p * Math.log(p / q);
    }
  }
  return divergence;
}

/**
 * Statistics of model outputs, accumulated next to the engine. Each accumulator is independent of the number of samples,
 * and every one accepts outputs whose shape changes from run to run.
 */
export interface AccumulatorRequest {
  /** Smallest and largest value; with `axis`, of each channel along that axis. Works on whole tensors and on ReduceMin/ReduceMax results. */
  readonly minMax?: { readonly axis?: number };
  /** Counts in bins of relative width 2⁻⁷. Every `stride`-th element is counted (default 1: all), the phase moving from run to run. */
  readonly histogram?: { readonly stride?: number };
  /** Count, sum and sum of squares; with `axis`, of each channel along that axis. */
  readonly moments?: { readonly axis?: number };
  /** xᵀx over the rows of the tensor seen as [rows, K], where K is the size of `axis` (default the last; at most 2,048). */
  readonly gram?: { readonly axis?: number };
}

/** What to accumulate, by output name. */
export type StatisticsRequest = Readonly<Record<string, AccumulatorRequest>>;

export interface MinMaxStatistics {
  /** One element per channel, or one in all. */
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Averages over the runs of each run's smallest and largest value. */
  readonly meanMin: Float64Array;
  readonly meanMax: Float64Array;
  readonly runs: number;
  readonly nanCount: number;
}

/**
 * A histogram over the float32 patterns' upper 16 bits (sign, exponent, 7 bits of the fraction): no range is needed in
 * advance, and a bin is at most 1/128 of its own value wide. Bins are in ascending order and only those with a count are listed.
 */
export interface HistogramStatistics {
  /** The smallest and the largest value that each bin can hold. */
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  readonly counts: Float64Array;
  /** Values counted, infinities and NaN left out. */
  readonly count: number;
  readonly nonFiniteCount: number;
}

/** A {@link HistogramStatistics} as it crosses from the engine's process: a sixth of the bytes. */
export interface PackedHistogram {
  /** Upper 16 bits of the float32 patterns of the bins, in ascending order of the values. */
  readonly bins: Uint16Array;
  readonly counts: Float64Array;
  readonly nonFiniteCount: number;
}

export interface MomentStatistics {
  /** Elements per channel. */
  readonly count: number;
  readonly sum: Float64Array;
  readonly sumOfSquares: Float64Array;
}

export interface GramStatistics {
  readonly rows: number;
  /** K × K, row by row, symmetric. */
  readonly matrix: Float64Array;
  readonly size: number;
}

export interface OutputStatistics {
  readonly minMax?: MinMaxStatistics;
  readonly histogram?: HistogramStatistics;
  readonly moments?: MomentStatistics;
  readonly gram?: GramStatistics;
}

/** What was accumulated, by output name. */
export type Statistics = Readonly<Record<string, OutputStatistics>>;

/** {@link Statistics} as they cross from the engine's process. */
export type PackedStatistics = Readonly<
  Record<string, Omit<OutputStatistics, 'histogram'> & { readonly histogram?: PackedHistogram }>
>;

export function unpackStatistics(packed: PackedStatistics): Statistics {
  return Object.fromEntries(
    Object.entries(packed).map(([name, { histogram, ...others }]) => [
      name,
      { ...others, ...(histogram && { histogram: unpackHistogram(histogram) }) },
    ]),
  );
}

export function unpackHistogram({ bins, counts, nonFiniteCount }: PackedHistogram): HistogramStatistics {
  const towardsZero = floatsOf(bins, 0x0000);
  const awayFromZero = floatsOf(bins, 0xffff);
  const lower = new Float32Array(bins.length);
  const upper = new Float32Array(bins.length);
  for (let i = 0; i < bins.length; i++) {
    lower[i] = Math.min(awayFromZero[i]!, towardsZero[i]!);
    upper[i] = Math.max(awayFromZero[i]!, towardsZero[i]!);
  }
  return {
    lower,
    upper,
    counts,
    count: counts.reduce((sum, count) => sum + count, 0),
    nonFiniteCount,
  };
}

/** The floats whose upper 16 bits are these and whose lower bits are `lowerBits`. */
function floatsOf(bins: Uint16Array, lowerBits: number): Float32Array {
  const patterns = new Uint32Array(bins.length);
  for (let i = 0; i < bins.length; i++) patterns[i] = (bins[i]! << 16) | lowerBits;
  return new Float32Array(patterns.buffer);
}

/** Two outputs to compare: of the reference and of the candidate session. */
export interface OutputPair {
  readonly reference: string;
  readonly candidate: string;
}

/** How far a candidate's output is from the reference's, over all runs. Non-finite element pairs are counted and left out. */
export interface ComparisonStatistics extends OutputPair {
  readonly count: number;
  readonly nonFiniteCount: number;
  /** Σ r² */
  readonly referencePower: number;
  /** Σ c² */
  readonly candidatePower: number;
  /** Σ (r − c)² */
  readonly noisePower: number;
  /** Σ r·c */
  readonly dotProduct: number;
  readonly maxAbsoluteError: number;
  /** 10·log₁₀(Σ r² / Σ (r − c)²); Infinity where they are equal, NaN where the reference is all zeros. */
  readonly sqnrDb: number;
  /** Σ r·c / √(Σ r² · Σ c²); NaN where one of them is all zeros. */
  readonly cosineSimilarity: number;
}

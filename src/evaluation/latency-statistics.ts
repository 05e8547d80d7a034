import { quantileOf } from '../runtime/latency.ts';
import { type BootstrapOptions, blockLengthOf, bootstrapIntervals, type Interval } from './bootstrap-interval.ts';

/** A quantile of the runs with its 95 % interval; null where too few runs lie beyond the quantile to tell. */
export interface QuantileEstimate {
  readonly valueMs: number;
  readonly interval: Interval | null;
}

/** What the runs of one model say, in milliseconds. */
export interface LatencySummary {
  readonly runs: number;
  readonly rounds: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly median: QuantileEstimate;
  readonly p90: QuantileEstimate;
  readonly p99: QuantileEstimate;
  /** Standard deviation of the medians of the rounds over their mean. */
  readonly roundVariation: number;
  /** Median of the last third of the rounds over that of the first third; 1 with fewer than 6 rounds. */
  readonly drift: number;
  /** Rounds that were drawn together for the intervals: more than 1 where rounds resemble their neighbours. */
  readonly blockLength: number;
}

/** How many times as long one model takes as another. */
export interface PairedRatio {
  readonly ratio: number;
  readonly interval: Interval;
}

export interface MedianEstimate {
  readonly value: number;
  readonly interval: Interval;
}

/** Runs that have to lie beyond a quantile for an interval of it. */
const RUNS_BEYOND = 5;
const FRACTIONS = [0.5, 0.9, 0.99] as const;

/**
 * Quantiles of all runs, with intervals from rounds drawn anew; see {@link bootstrapIntervals} for why rounds.
 * @param roundsMs the runs of each round.
 * @throws RangeError without runs.
 */
export function summarizeLatency(roundsMs: readonly Float64Array[], options: BootstrapOptions = {}): LatencySummary {
  const medians = roundMedians(roundsMs);
  const blockLength = blockLengthOf(medians);
  const runs = sortedRuns(roundsMs);
  const { length } = runs.valuesMs;
  const once = new Int32Array(roundsMs.length).fill(1);
  const values = weightedQuantiles(runs, once, FRACTIONS);
  const intervals = bootstrapIntervals(roundsMs.length, (drawn) => weightedQuantiles(runs, drawn, FRACTIONS), {
    blockLength,
    ...options,
  });
  const estimate = (i: number): QuantileEstimate => ({
    valueMs: values[i]!,
    interval: length * (1 - FRACTIONS[i]!) < RUNS_BEYOND - 1e-9 && i > 0 ? null : intervals[i]!,
  });
  return {
    runs: length,
    rounds: roundsMs.length,
    minMs: runs.valuesMs[0]!,
    maxMs: runs.valuesMs[length - 1]!,
    median: estimate(0),
    p90: estimate(1),
    p99: estimate(2),
    roundVariation: variation(medians),
    drift: driftOf(medians),
    blockLength,
  };
}

/**
 * The median over the rounds of this model's median divided by the other's in the same round: load that comes and goes
 * does so for both, and cancels. Its interval comes from rounds drawn anew, both models' together.
 * @throws RangeError without rounds, or where the models have different numbers of them.
 */
export function pairedLatencyRatio(
  roundsMs: readonly Float64Array[],
  otherRoundsMs: readonly Float64Array[],
  options: BootstrapOptions = {},
): PairedRatio {
  if (roundsMs.length !== otherRoundsMs.length) {
    throw new RangeError(`${roundsMs.length} rounds against ${otherRoundsMs.length}`);
  }
  const others = roundMedians(otherRoundsMs);
  const ratios = roundMedians(roundsMs).map((ms, round) => ms / others[round]!);
  const sorted = sortedRuns(Array.from(ratios, (ratio) => Float64Array.of(ratio)));
  const [interval] = bootstrapIntervals(ratios.length, (drawn) => weightedQuantiles(sorted, drawn, [0.5]), {
    blockLength: blockLengthOf(ratios),
    ...options,
  });
  return { ratio: quantileOf(ratios, 0.5), interval: interval! };
}

/**
 * The median of values that were measured in batches, with a 95 % interval from whole batches drawn anew: what a batch has in
 * common (where its sessions lie in memory, the load of that minute) counts once, and a batch that went wrong moves little.
 * @throws RangeError without batches.
 */
export function medianOfBatches(batches: readonly Float64Array[], options: BootstrapOptions = {}): MedianEstimate {
  const sorted = sortedRuns(batches);
  const [value] = weightedQuantiles(sorted, new Int32Array(batches.length).fill(1), [0.5]);
  const [interval] = bootstrapIntervals(batches.length, (drawn) => weightedQuantiles(sorted, drawn, [0.5]), options);
  return { value: value!, interval: interval! };
}

export function roundMedians(roundsMs: readonly Float64Array[]): Float64Array {
  return Float64Array.from(roundsMs, (round) => quantileOf(round, 0.5));
}

interface SortedRuns {
  readonly valuesMs: Float64Array;
  /** The round of each value. */
  readonly rounds: Int32Array;
}

function sortedRuns(roundsMs: readonly Float64Array[]): SortedRuns {
  const runs = roundsMs.flatMap((round, index) => Array.from(round, (ms) => ({ ms, index })));
  runs.sort((a, b) => a.ms - b.ms);
  return {
    valuesMs: Float64Array.from(runs, ({ ms }) => ms),
    rounds: Int32Array.from(runs, ({ index }) => index),
  };
}

/** {@link quantileOf} of the runs with each round taken as often as it was drawn, without sorting again. */
function weightedQuantiles(
  { valuesMs, rounds }: SortedRuns,
  drawn: Int32Array,
  fractions: readonly number[],
): readonly number[] {
  let total = 0;
  for (let i = 0; i < rounds.length; i++) total += drawn[rounds[i]!]!;
  const results: number[] = [];
  let next = 0;
  let seen = 0;
  let below = Number.NaN;
  for (let i = 0; i < valuesMs.length && results.length < fractions.length; i++) {
    const weight = drawn[rounds[i]!]!;
    if (weight === 0) continue;
    // This value takes the places seen .. seen + weight - 1 of the resample.
    while (next < fractions.length) {
      const position = (total - 1) * fractions[next]!;
      const place = Math.floor(position);
      if (position > seen + weight - 1) break;
      const value = valuesMs[i]!;
      results.push(place >= seen ? value : below + (value - below) * (position - place));
      next++;
    }
    seen += weight;
    below = valuesMs[i]!;
  }
  return results;
}

function variation(values: Float64Array): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1)) / mean;
}

function driftOf(medians: Float64Array): number {
  if (medians.length < 6) return 1;
  const third = Math.floor(medians.length / 3);
  return quantileOf(medians.subarray(medians.length - third), 0.5) / quantileOf(medians.subarray(0, third), 0.5);
}

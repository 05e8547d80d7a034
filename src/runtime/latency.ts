import type { Feeds } from '../tensor/nd-array.ts';
import type { Session } from './session.ts';

export interface LatencyCandidate {
  readonly label: string;
  readonly session: Session;
  readonly feeds: Feeds;
}

export interface LatencyOptions {
  /** Rounds to measure; in each round every candidate has its turn. Default 20. */
  readonly rounds?: number;
  /** Rounds that are measured even when `maxSeconds` is over. Default 5. */
  readonly minRounds?: number;
  /** Runs of each candidate before the first round, at least 1. Default 5. */
  readonly warmup?: number;
  /** No round starts after this many seconds. Default 30. */
  readonly maxSeconds?: number;
  /** About the length of a turn: it has a fixed number of runs, settled by the warm-up, at least one. Default 20. */
  readonly turnMs?: number;
  /** Runs of a turn at most. Default 200. */
  readonly maxRunsPerTurn?: number;
  /** Of the order of the turns. Default 0. */
  readonly seed?: number;
  /** Ends the measurement between two rounds: the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called about twice a second with what has been measured so far; true ends the measurement. */
  readonly enough?: (measured: LatencyRun) => boolean;
}

/** What was measured of all candidates. */
export interface LatencyRun {
  readonly candidates: readonly LatencyMeasurement[];
  /** The order of the turns in each round, as indices of the candidates. */
  readonly orders: readonly (readonly number[])[];
  /** What ended it: all rounds are done, the time is up, or `enough` said so. */
  readonly stopped: 'rounds' | 'time' | 'enough';
  /** Rounds and their pauses, without the warm-up. */
  readonly elapsedMs: number;
}

/** Milliseconds per run of one candidate. */
export interface LatencyMeasurement {
  readonly label: string;
  /** The runs of each round, in order; equally many in every round. */
  readonly roundsMs: readonly Float64Array[];
}

/** The `fraction`-quantile (0..1) by linear interpolation between the sorted values; NaN of none. */
export function quantileOf(values: Float64Array, fraction: number): number {
  return quantileOfSorted(values.slice().sort(), fraction);
}

/** {@link quantileOf} of values in ascending order. */
export function quantileOfSorted(sorted: Float64Array, fraction: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * fraction;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (position - below);
}

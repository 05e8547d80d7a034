import type { Feeds } from '../tensor/nd-array.ts';
import type { Session } from './session.ts';

export interface LatencyCandidate {
  readonly label: string;
  readonly session: Session;
  readonly feeds: Feeds;
}

export interface LatencyOptions {
  /** Rounds to measure; in each round every candidate has its turn, in alternating order. Default 20. */
  readonly rounds?: number;
  /** Rounds that are measured even when `maxSeconds` is over. Default 5. */
  readonly minRounds?: number;
  /** Runs of each candidate before the first round. Default 5. */
  readonly warmup?: number;
  /** No round starts after this many seconds. Default 30. */
  readonly maxSeconds?: number;
  /** Length of a turn: a candidate runs at least once, and again until this is over. Default 20. */
  readonly turnMs?: number;
}

/** Milliseconds per run of one candidate. */
export interface LatencyMeasurement {
  readonly label: string;
  readonly samplesMs: Float64Array;
  /** Median of the runs of each round: pairs with the same round of another candidate. */
  readonly roundMediansMs: Float64Array;
  readonly medianMs: number;
  readonly p90Ms: number;
}

/** The `fraction`-quantile (0..1) by linear interpolation between the sorted values; NaN of none. */
export function quantileOf(values: Float64Array, fraction: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.slice().sort();
  const position = (sorted.length - 1) * fraction;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (position - below);
}

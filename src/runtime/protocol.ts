import type { ErrorCode } from '../diagnostics/edgepack-error.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import type { TimedRounds, TimingSchedule } from './child/interleaved-timing.ts';
import type { ProfileRecord } from './profile.ts';
import type { SessionOptions, ValueDescription } from './session.ts';
import type { ComparisonStatistics, OutputPair, PackedStatistics, StatisticsRequest } from './statistics.ts';

/** What the models that are loaded from now on may take; what is left out has no limit of its own. */
export interface EngineLimits {
  /** Resident memory of the engine's process above what it takes now. */
  readonly memoryBytes?: number;
  /** Time of the processor that one run may take. */
  readonly runSeconds?: number;
}

/** Feeds to run. Those that come again are sent once, with a number, and later by that number alone. */
export interface SentFeeds {
  readonly feeds?: Feeds;
  readonly feedsId?: number;
}

/** What the engine's process is asked for, and what it answers. Only feeds, statistics and fetched outputs cross. */
export interface Requests {
  open: { ask: { enginePackage: string; memoryLimitBytes: number }; answer: { version: string } };
  limit: { ask: EngineLimits; answer: undefined };
  load: {
    ask: { model: string | Uint8Array; options: SessionOptions };
    answer: { sessionId: number; inputs: ValueDescription[]; outputs: ValueDescription[]; loadMs: number };
  };
  run: { ask: SentFeeds & { sessionId: number; outputNames: readonly string[] }; answer: Feeds };
  collect: {
    ask: SentFeeds & { sessionId: number; request?: StatisticsRequest; outputNames: readonly string[] };
    answer: Feeds;
  };
  statistics: { ask: { sessionId: number }; answer: PackedStatistics };
  endProfiling: { ask: { sessionId: number }; answer: ProfileRecord[] };
  release: { ask: { sessionId: number }; answer: undefined };
  compare: {
    ask: { comparisonId: number; referenceId: number; candidateId: number; pairs: readonly OutputPair[]; feeds: Feeds };
    answer: undefined;
  };
  endComparison: { ask: { comparisonId: number }; answer: ComparisonStatistics[] };
  startTiming: {
    ask: { candidates: readonly { sessionId: number; feeds: Feeds }[]; schedule: TimingSchedule };
    answer: { timingId: number };
  };
  timeRounds: { ask: { timingId: number; rounds: number; maxMs: number }; answer: TimedRounds };
  endTiming: { ask: { timingId: number }; answer: undefined };
  peakMemory: { ask: Record<string, never>; answer: number };
}

export type RequestKind = keyof Requests;

export interface RequestMessage<K extends RequestKind = RequestKind> {
  readonly id: number;
  readonly kind: K;
  readonly ask: Requests[K]['ask'];
}

/** An error that the engine's process reports and survives. */
export interface ReportedError {
  readonly code: ErrorCode;
  /** The reason in one printable line; the receiver adds which model it is about. */
  readonly reason: string;
}

export type AnswerMessage =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: ReportedError };

/** What the watchdog writes to the standard error stream before it ends the process. */
export const memoryExceededMark = 'edgepack-engine: memory exceeded:';
export const timeExceededMark = 'edgepack-engine: time exceeded:';

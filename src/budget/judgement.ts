import { formatDuration, formatPercent } from '../report/number-format.ts';
import type { CheckItem, Unit } from './check-schema.ts';
import type { Evidence, Measured } from './evidence.ts';
import type { Limit } from './resolve-budgets.ts';

/** A judged limit, before it is known where in the configuration it stands. */
export type Judgement = Omit<CheckItem, 'metric' | 'kind' | 'level' | 'config'>;

/** What is known of the checked model and of the baseline. */
export interface Judged {
  readonly evidence: Evidence;
  /** Undefined where none was given. */
  readonly baseline: Evidence | undefined;
  /** The checked model's host latency as a multiple of the baseline's, with what the interval cannot know included. */
  readonly hostRatio?: Measured | undefined;
  /** The same on the device. */
  readonly deviceRatio?: Measured | undefined;
  /** By metric, layers that take longer than in the baseline, or longest, where that was profiled. */
  readonly slowerLayers?: Readonly<Record<string, Judgement['responsible']>> | undefined;
  /** Why something is not known, by metric. */
  readonly missing?: Readonly<Record<string, string>> | undefined;
}

/** Room that a latency ratio needs: two sessions of the same model differ by about a percent. */
export const SESSION_MARGIN = 0.01;
/** The finest growth of a measured latency that can be asked for. */
export const FINEST_LATENCY_INCREASE = 2 * SESSION_MARGIN;
/** The same for resident memory, which allocators and the system move by some percent. */
export const FINEST_MEMORY_INCREASE = 0.05;

/** The judgement of a value that is known exactly. */
export function exactJudgement(
  value: number,
  limit: number,
  unit: Unit,
  text: { readonly label: string; readonly of?: string; readonly baseline?: number | undefined },
): Judgement {
  const failed = value > limit;
  const relation = failed ? `is more than the limit of` : 'is within the limit of';
  const over = failed ? ` by ${formatQuantity(value - limit, unit)}` : '';
  return {
    outcome: failed ? 'failed' : 'passed',
    unit,
    value,
    interval: null,
    limit,
    difference: value - limit,
    baseline: text.baseline ?? null,
    message: `${text.label} ${formatQuantity(value, unit)} ${relation} ${formatQuantity(limit, unit)}${text.of ?? ''}${over}`,
    responsible: [],
  };
}

/** The judgement of a measured value by its interval: it passes or fails where the whole interval does. */
export function intervalJudgement(
  { value, low, high }: Measured,
  limit: number,
  unit: Unit,
  label: string,
  baseline: number | null = null,
): Judgement {
  const outcome = high <= limit ? 'passed' : low > limit ? 'failed' : 'undecided';
  const relation = {
    passed: 'is within the limit of',
    failed: 'is more than the limit of',
    undecided: 'cannot be told from the limit of',
  }[outcome];
  const over = outcome === 'failed' ? ` by ${formatQuantity(value - limit, unit)}` : '';
  const range = `(${formatQuantity(low, unit)} to ${formatQuantity(high, unit)})`;
  return {
    outcome,
    unit,
    value,
    interval: { low, high },
    limit,
    difference: value - limit,
    baseline,
    message: `${label} ${formatQuantity(value, unit)} ${range} ${relation} ${formatQuantity(limit, unit)}${over}`,
    responsible: [],
  };
}

/** A limit that is not judged: finer than what can be known, nothing known, or no baseline. */
export function unjudged(
  outcome: 'refused' | 'skipped',
  limit: number | null,
  unit: Unit,
  message: string,
  known: Partial<Judgement> = {},
): Judgement {
  return {
    value: null,
    interval: null,
    difference: null,
    baseline: null,
    responsible: [],
    ...known,
    outcome,
    unit,
    limit,
    message,
  };
}

/** Why a value is not there, as a refusal. */
export function unknown(
  limit: Limit,
  { missing }: Judged,
  limitValue: number | null,
  unit: Unit,
  fallback: string,
): Judgement {
  return unjudged('refused', limitValue, unit, missing?.[limit.metric] ?? fallback);
}

export function formatQuantity(value: number, unit: Unit): string {
  switch (unit) {
    case 'bytes':
      return `${Math.round(value).toLocaleString('en-US')} bytes`;
    case 'count':
      return value.toLocaleString('en-US');
    case 'share':
      return formatPercent(value, 2);
    case 'points':
      return `${value.toFixed(2)} points`;
    case 'ms':
      return formatDuration(value);
    case 'ratio':
      return `${value.toFixed(3)} ×`;
  }
}

/** A small share as "+0.52 %". */
export function formatShare(share: number): string {
  const text = (Math.abs(share) * 100).toFixed(2);
  return `${Number(text) === 0 ? '±' : share < 0 ? '−' : '+'}${text} %`;
}

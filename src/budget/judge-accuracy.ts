import { compareAnswers, decodeAnswerBits } from '../evaluation/answer-bits.ts';
import type { Interval } from '../evaluation/bootstrap-interval.ts';
import { pairedScoreInterval, z90 } from '../evaluation/paired-interval.ts';
import type { ShareInterval } from '../evaluation/statistics.ts';
import { plural } from '../report/report-findings.ts';
import type { Evidence, PairedCounts } from './evidence.ts';
import { formatQuantity, type Judged, type Judgement, unjudged, unknown } from './judgement.ts';
import type { Limit } from './resolve-budgets.ts';
import { noisyLayers } from './responsible.ts';

const labels = { 'accuracy.top1': 'top-1', 'accuracy.agreement': 'agreement with the original' } as const;
type ShareMetric = keyof typeof labels;

/** Limits of accuracy and agreement: smallest shares by their Wilson interval, losses by the paired interval. */
export function judgeShare(limit: Limit, judged: Judged): Judgement {
  const metric = limit.metric as ShareMetric;
  return limit.kind === 'min' ? judgeMinimum(limit, metric, judged) : judgeAgainstBaseline(limit, metric, judged);
}

/** The loss against the original, of the same run. */
export function judgeDrop(limit: Limit, judged: Judged): Judgement {
  const points = Number(limit.value);
  const { drop } = judged.evidence;
  if (drop === undefined) {
    return unknown(limit, judged, points, 'points', 'nothing was evaluated on labelled samples beside the original');
  }
  return judgePaired(drop, points, 'a loss against the original of', judged);
}

/**
 * The finest limit of a loss, in percentage points: the smallest loss that can be told from none at all where every sample that
 * is judged differently is a loss, z² / samples.
 */
export function finestDropPoints(samples: number): number {
  return (100 * z90 ** 2) / samples;
}

/** From which observed loss on, in percentage points, a limit certainly fails where nothing was won; see docs/budgets.md. */
export function caughtDropPoints(samples: number, limitPoints: number): number {
  const root = (z90 / Math.sqrt(samples) + Math.sqrt(z90 ** 2 / samples + (4 * limitPoints) / 100)) / 2;
  return 100 * root ** 2;
}

/** Samples that a limit of a loss needs. */
function neededSamples(limitPoints: number): number {
  return Math.ceil((100 * z90 ** 2) / limitPoints);
}

function judgePaired({ b, c, samples }: PairedCounts, limit: number, label: string, judged: Judged): Judgement {
  const value = (100 * (b - c)) / samples;
  const finest = finestDropPoints(samples);
  const counts = `${b} of ${samples} samples lost, ${c} won`;
  if (limit < finest) {
    const more = limit > 0 ? `, or evaluate on ${neededSamples(limit)} samples` : '';
    return unjudged(
      'refused',
      limit,
      'points',
      `a limit of ${plural(limit, 'point')} is finer than ${samples} samples can tell: set at least ${roundUp(finest)}${more}`,
      { value },
    );
  }
  const ends = pairedScoreInterval(b, c, samples);
  // Where no sample is judged differently nothing is uncertain: the loss on these samples is none.
  const interval = b + c === 0 ? { low: 0, high: 0 } : { low: 100 * ends.low, high: 100 * ends.high };
  return lossJudgement(value, interval, limit, label, counts, judged);
}

function judgeMinimum(limit: Limit, metric: ShareMetric, judged: Judged): Judgement {
  const min = Number(limit.value);
  const { evidence } = judged;
  const share = metric === 'accuracy.top1' ? evidence.top1 : evidence.agreement;
  const { samples } = evidence;
  if (share === undefined || samples === undefined) {
    return unknown(
      limit,
      judged,
      min,
      'share',
      `there is no ${labels[metric]}: it needs evaluation samples${metric === 'accuracy.top1' ? ' with labels' : ''}`,
    );
  }
  if (min < 1 && (1 - min) * samples < 1) {
    return unjudged(
      'refused',
      min,
      'share',
      `a minimum of ${formatQuantity(min, 'share')} is finer than ${samples} samples can tell: one sample is ${formatQuantity(1 / samples, 'share')}; evaluate on ${Math.ceil(1 / (1 - min))} or more`,
      { value: share.value },
    );
  }
  const outcome = share.value >= min ? 'passed' : share.high < min ? 'failed' : 'undecided';
  const relation = { passed: 'reaches', failed: 'is less than', undecided: 'cannot be told from' }[outcome];
  return {
    outcome,
    unit: 'share',
    value: share.value,
    interval: { low: share.low, high: share.high },
    limit: min,
    difference: min - share.value,
    baseline: null,
    message: `${labels[metric]} ${formatQuantity(share.value, 'share')} (${formatQuantity(share.low, 'share')} to ${formatQuantity(share.high, 'share')}, ${samples} samples) ${relation} the minimum of ${formatQuantity(min, 'share')}${outcome === 'failed' ? ` by ${formatQuantity(100 * (min - share.value), 'points')}` : ''}`,
    responsible: outcome === 'passed' ? [] : noisyLayers(evidence, judged.baseline),
  };
}

function judgeAgainstBaseline(limit: Limit, metric: ShareMetric, judged: Judged): Judgement {
  const points = Number(limit.value);
  const { evidence, baseline } = judged;
  if (baseline === undefined) return unjudged('skipped', points, 'points', 'not judged: there is no baseline');
  const pick = (of: Evidence) => (metric === 'accuracy.top1' ? of.top1 : of.agreement);
  const share = pick(evidence);
  const before = pick(baseline);
  if (share === undefined || before === undefined) {
    const whose = share === undefined ? 'the checked model' : 'the baseline';
    return unknown(limit, judged, points, 'points', `there is no ${labels[metric]} of ${whose}`);
  }
  const label = `${labels[metric]} ${formatQuantity(before.value, 'share')} → ${formatQuantity(share.value, 'share')}, a loss of`;
  const paired = pairedCounts(evidence, baseline, metric);
  if (paired !== undefined) return { ...judgePaired(paired, points, label, judged), baseline: before.value };
  const { value, low, high } = unpairedLoss(before, share);
  const half = (high - low) / 2;
  if (points < half) {
    return unjudged(
      'refused',
      points,
      'points',
      `a limit of ${plural(points, 'point')} is finer than two separate evaluations can tell (±${half.toFixed(2)} points); evaluate both on the same samples with this version, for a comparison sample by sample`,
      { value, baseline: before.value },
    );
  }
  const loss = lossJudgement(value, { low, high }, points, label, 'not on the same samples', judged);
  return { ...loss, baseline: before.value };
}

/** Fails where the whole interval lies beyond the limit, passes where the observed loss is within it. */
function lossJudgement(
  value: number,
  interval: Interval,
  limit: number,
  label: string,
  counts: string,
  { evidence, baseline }: Judged,
): Judgement {
  const outcome = value <= limit ? 'passed' : interval.low > limit ? 'failed' : 'undecided';
  const relation = {
    passed: 'is within the limit of',
    failed: 'is more than the limit of',
    undecided: 'is more than, but cannot be told from, the limit of',
  }[outcome];
  const over = outcome === 'failed' ? ` by ${formatQuantity(value - limit, 'points')}` : '';
  const [lost, low, high] = [value, interval.low, interval.high].map(fixed);
  return {
    outcome,
    unit: 'points',
    value,
    interval,
    limit,
    difference: value - limit,
    baseline: null,
    message: `${label} ${lost} points (${low} to ${high}; ${counts}) ${relation} ${plural(limit, 'point')}${over}`,
    responsible: outcome === 'passed' ? [] : noisyLayers(evidence, baseline),
  };
}

/** Undefined where both were not evaluated on the same samples, or did not keep their answers. */
function pairedCounts(evidence: Evidence, baseline: Evidence, metric: ShareMetric): PairedCounts | undefined {
  const after = evidence.perSample;
  const before = baseline.perSample;
  const { samples } = evidence;
  if (samples === undefined || after === undefined || before?.dataSha256 !== after.dataSha256) return undefined;
  const key = metric === 'accuracy.top1' ? 'correct' : 'agrees';
  const answers = [before[key], after[key]].map((text) =>
    text === null ? undefined : decodeAnswerBits(text, samples),
  );
  if (answers[0] === undefined || answers[1] === undefined) return undefined;
  return { ...compareAnswers(answers[0], answers[1]), samples };
}

/**
 * The loss between two shares of separate samples, in percentage points, with a 95 % interval from those of both shares.
 * Source: R. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17
 * (1998), method 10.
 */
export function unpairedLoss(before: ShareInterval, after: ShareInterval): { value: number } & Interval {
  const value = before.value - after.value;
  return {
    value: 100 * value,
    low: 100 * (value - Math.hypot(before.value - before.low, after.high - after.value)),
    high: 100 * (value + Math.hypot(before.high - before.value, after.value - after.low)),
  };
}

/** "−0.92". */
function fixed(points: number): string {
  return points
    .toFixed(2)
    .replace(/^-(?=.*[1-9])/, '−')
    .replace('-', '');
}

function roundUp(points: number): number {
  return Math.ceil(points * 100) / 100;
}

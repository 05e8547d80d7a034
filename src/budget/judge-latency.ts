import type { Measured } from './evidence.ts';
import {
  exactJudgement,
  FINEST_LATENCY_INCREASE,
  FINEST_MEMORY_INCREASE,
  formatQuantity,
  intervalJudgement,
  type Judged,
  type Judgement,
  SESSION_MARGIN,
  unjudged,
  unknown,
} from './judgement.ts';
import { millisecondsOf, shareOfPercent, sizeBytesOf } from './quantities.ts';
import type { Limit } from './resolve-budgets.ts';
import { grownParts, slowerLayers } from './responsible.ts';

/** Latency that was measured, on this host or on the device. */
export function judgeMeasuredLatency(limit: Limit, judged: Judged): Judgement {
  const isHost = limit.metric === 'latency.host';
  const where = isHost ? 'on this host' : 'on the device';
  const pick = ({ hostMs, deviceMs }: Judged['evidence']) => (isHost ? hostMs : deviceMs);
  const now = pick(judged.evidence);
  if (limit.kind === 'max') {
    const max = millisecondsOf(limit.value);
    if (now === undefined) return unknown(limit, judged, max, 'ms', `there is no latency measured ${where}`);
    return explained(intervalJudgement(now, max, 'ms', `median ${where}`), limit, judged);
  }
  const increase = shareOfPercent(limit.value)!;
  const max = 1 + increase;
  if (judged.baseline === undefined) return unjudged('skipped', max, 'ratio', 'not judged: there is no baseline');
  if (isTooFine(limit)) {
    return unjudged(
      'refused',
      max,
      'ratio',
      `a limit of ${limit.value} is tighter than what two sessions of the same model differ by: set at least ${FINEST_LATENCY_INCREASE * 100}%`,
    );
  }
  const before = pick(judged.baseline);
  const ratio = isHost ? judged.hostRatio : judged.deviceRatio;
  if (ratio === undefined) {
    return unknown(limit, judged, max, 'ratio', `there is no latency of both models measured ${where}`);
  }
  return explained(
    intervalJudgement(ratio, max, 'ratio', `time as a multiple of the baseline ${where}`, before?.value ?? null),
    limit,
    judged,
  );
}

/**
 * Predicted latency, judged by the upper end of its band. A limit inside the band is a regression where the baseline met it,
 * and otherwise a limit that the prediction cannot judge.
 */
export function judgePredictedLatency(limit: Limit, judged: Judged): Judgement {
  const now = judged.evidence.predictedMs;
  const before = judged.baseline?.predictedMs;
  const nothing = 'the report predicts no latency for this target';
  if (limit.kind === 'max') {
    const max = millisecondsOf(limit.value);
    if (now === undefined) return unknown(limit, judged, max, 'ms', nothing);
    const judgement = intervalJudgement(now, max, 'ms', 'latency predicted, not measured,', before?.value ?? null);
    if (judgement.outcome !== 'undecided') return explained(judgement, limit, judged);
    if (before !== undefined && before.high <= max) {
      const message = `upper end of the predicted band, ${formatQuantity(now.high, 'ms')}, is more than the limit of ${formatQuantity(max, 'ms')}, which the baseline met with ${formatQuantity(before.high, 'ms')}`;
      return explained({ ...judgement, outcome: 'failed', difference: now.high - max, message }, limit, judged);
    }
    return unjudged(
      'refused',
      max,
      'ms',
      `a limit of ${formatQuantity(max, 'ms')} lies inside the predicted band (${formatQuantity(now.low, 'ms')} to ${formatQuantity(now.high, 'ms')}): set at least ${formatQuantity(now.high, 'ms')}, or measure on the device`,
      { value: now.value, interval: { low: now.low, high: now.high } },
    );
  }
  const increase = shareOfPercent(limit.value)!;
  const max = 1 + increase;
  if (judged.baseline === undefined) return unjudged('skipped', max, 'ratio', 'not judged: there is no baseline');
  if (now === undefined || before === undefined) return unknown(limit, judged, max, 'ratio', nothing);
  const band = Math.max(now.high / now.value, now.value / Math.max(now.low, Number.MIN_VALUE)) - 1;
  if (increase < band) {
    return unjudged(
      'refused',
      max,
      'ratio',
      `a limit of ${limit.value} is tighter than the predicted band, which is ${(band * 100).toFixed(0)} % wide to one side: set at least that, or measure on the device`,
    );
  }
  const value = now.value / before.value;
  return explained(
    exactJudgement(value, max, 'ratio', {
      label: 'predicted time as a multiple of the baseline',
      baseline: before.value,
    }),
    limit,
    judged,
  );
}

/** Peak memory of the engine with this model alone. */
export function judgeMemory(limit: Limit, judged: Judged): Judgement {
  const now = judged.evidence.engineBytes;
  const label = 'peak memory of the engine';
  const nothing = 'the memory was not measured: it needs the model file';
  if (limit.kind === 'max') {
    const max = sizeBytesOf(limit.value);
    if (now === undefined) return unknown(limit, judged, max, 'bytes', nothing);
    return heldBy(exactJudgement(now, max, 'bytes', { label, baseline: judged.baseline?.engineBytes }), judged);
  }
  const share = shareOfPercent(limit.value);
  if (judged.baseline === undefined) return unjudged('skipped', null, 'bytes', 'not judged: there is no baseline');
  const before = judged.baseline.engineBytes;
  if (now === undefined || before === undefined) return unknown(limit, judged, 0, 'bytes', nothing);
  const allowed = share === undefined ? sizeBytesOf(limit.value) : share * before;
  if (allowed < FINEST_MEMORY_INCREASE * before) {
    return unjudged(
      'refused',
      before + allowed,
      'bytes',
      `a limit of ${limit.value} is tighter than what resident memory varies by: set at least ${FINEST_MEMORY_INCREASE * 100}%`,
    );
  }
  const of = ` (baseline + ${limit.value})`;
  return heldBy(exactJudgement(now, before + allowed, 'bytes', { label, of, baseline: before }), judged);
}

/** Names what a model brings into memory: its constants and its activations. */
function heldBy(judgement: Judgement, { evidence, baseline }: Judged): Judgement {
  if (judgement.outcome !== 'failed') return judgement;
  const parts = ({ fileParts = [], activationParts = [] }: Judged['evidence']) => [...fileParts, ...activationParts];
  const hasGrown = baseline?.engineBytes !== undefined && evidence.engineBytes! > baseline.engineBytes;
  const before = hasGrown ? parts(baseline) : undefined;
  return { ...judgement, responsible: grownParts(parts(evidence), before, undefined) };
}

function explained(judgement: Judgement, { metric }: Limit, judged: Judged): Judgement {
  if (judgement.outcome !== 'failed' && judgement.outcome !== 'undecided') return judgement;
  const measured = judged.slowerLayers?.[metric];
  return { ...judgement, responsible: measured ?? slowerLayers(judged.evidence, judged.baseline) };
}

/** Whether a limit is finer than any measurement here can tell. */
export function isTooFine({ kind, value }: Limit): boolean {
  return kind === 'maxIncrease' && shareOfPercent(value)! < FINEST_LATENCY_INCREASE;
}

/** A ratio's interval, wider by what two sessions of the same model differ by. */
export function withMargin({ value, low, high }: Measured, margin = SESSION_MARGIN): Measured {
  return { value, low: low * (1 - margin), high: high * (1 + margin) };
}

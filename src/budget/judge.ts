import type { Budgets } from './budget-schema.ts';
import type { CheckItem, CheckResult, Figure } from './check-schema.ts';
import type { Evidence } from './evidence.ts';
import { judgeDrop, judgeShare } from './judge-accuracy.ts';
import { judgeMeasuredLatency, judgeMemory, judgePredictedLatency } from './judge-latency.ts';
import { exactJudgement, formatShare, type Judged, type Judgement, unjudged, unknown } from './judgement.ts';
import { shareOfPercent, sizeBytesOf } from './quantities.ts';
import { type Limit, type Metric, metrics } from './resolve-budgets.ts';
import { grownParts } from './responsible.ts';

/** The configuration that holds the budgets, so that a judgement can name the line. */
export interface BudgetSource {
  readonly file: string;
  readonly text: string;
}

/** Where limits stand. */
export interface LimitPlaces {
  readonly file: string;
  /** The line, from 1, by the keys that lead to a limit. */
  lineOf(path: Limit['path']): number | undefined;
}

/** Judges limits one by one. */
export function judge(limits: readonly Limit[], judged: Judged, places: LimitPlaces | undefined): CheckItem[] {
  return limits.map((limit) => {
    const path = ['budgets', ...limit.path];
    return {
      metric: limit.metric,
      kind: limit.kind,
      level: limit.level,
      ...judgeOne(limit, judged),
      config: {
        key: path.reduce<string>(
          (key, part) => (typeof part === 'number' ? `${key}[${part}]` : key === '' ? part : `${key}.${part}`),
          '',
        ),
        file: places?.file ?? null,
        line: places?.lineOf(path) ?? null,
      },
    };
  });
}

/** What all judgements together say; an error that was not decided counts as `undecided` says. */
export function statusOf(items: readonly CheckItem[], { undecided = 'warn' }: Budgets): CheckResult['status'] {
  if (items.some(({ outcome }) => outcome === 'refused')) return 'refused';
  return items.some((item) => severityOf(item, undecided) === 'error') ? 'failed' : 'passed';
}

/** How much a judgement matters: what the configuration makes of it. */
export function severityOf(
  { outcome, level }: CheckItem,
  undecided: NonNullable<Budgets['undecided']> = 'warn',
): 'none' | 'warn' | 'error' {
  if (outcome === 'refused') return 'error';
  if (outcome === 'failed') return level;
  if (outcome !== 'undecided' || undecided === 'off') return 'none';
  return undecided === 'error' ? level : 'warn';
}

function judgeOne(limit: Limit, judged: Judged): Judgement {
  switch (limit.metric) {
    case 'size.file':
    case 'size.epk':
    case 'size.parameters':
    case 'memory.activations':
      return judgeSize(limit, judged);
    case 'accuracy.top1':
    case 'accuracy.agreement':
      return judgeShare(limit, judged);
    case 'accuracy.drop':
      return judgeDrop(limit, judged);
    case 'latency.host':
    case 'latency.device':
      return judgeMeasuredLatency(limit, judged);
    case 'latency.predicted':
      return judgePredictedLatency(limit, judged);
    case 'memory.engine':
      return judgeMemory(limit, judged);
  }
}

const sizes = {
  'size.file': { label: 'file', unit: 'bytes', key: 'fileBytes', parts: 'fileParts' },
  'size.epk': { label: '.epk file', unit: 'bytes', key: 'epkBytes', parts: 'epkParts' },
  'size.parameters': { label: 'parameters', unit: 'count', key: 'parameters', parts: 'parameterParts' },
  'memory.activations': {
    label: 'peak memory of activations',
    unit: 'bytes',
    key: 'activationBytes',
    parts: 'activationParts',
  },
} as const;

function judgeSize(limit: Limit, judged: Judged): Judgement {
  const { unit, key, parts, ...named } = sizes[limit.metric as keyof typeof sizes];
  const formats = [judged.evidence, judged.baseline].map((of) => of?.fileFormat ?? 'onnx');
  const label = limit.metric === 'size.file' ? `.${formats[0]} file` : named.label;
  const value = judged.evidence[key];
  const before = judged.baseline?.[key];
  const share = shareOfPercent(limit.value);
  const isRelative = limit.kind === 'maxIncrease';
  if (isRelative && judged.baseline === undefined) {
    return unjudged('skipped', null, unit, 'not judged: there is no baseline', { value: value ?? null });
  }
  const allowed = share === undefined ? sizeBytesOf(limit.value) : Math.floor(share * (before ?? 0) + 1e-9);
  const max = isRelative ? (before ?? 0) + allowed : allowed;
  if (value === undefined) return unknown(limit, judged, max, unit, `there is no ${label} to judge`);
  const isOther = limit.metric === 'size.file' && judged.baseline !== undefined && formats[0] !== formats[1];
  if (isRelative && (before === undefined || isOther)) {
    return unknown(limit, judged, max, unit, `the baseline has no ${label}${isOther ? `, but an .${formats[1]}` : ''}`);
  }
  const grown =
    before === undefined || before === 0 || isOther ? '' : `, ${formatShare(value / before - 1)} against the baseline`;
  const hasGrown = before !== undefined && !isOther && value > before;
  const judgement = exactJudgement(value, max, unit, {
    label,
    of: isRelative ? ` (baseline + ${limit.value})` : '',
    baseline: before,
  });
  if (judgement.outcome === 'passed') return { ...judgement, message: judgement.message + grown };
  return {
    ...judgement,
    message: judgement.message + grown,
    responsible: grownParts(
      judged.evidence[parts],
      // What did not grow is not explained by what a part of it did.
      hasGrown ? judged.baseline?.[parts] : undefined,
      // Parts are in bytes: only of a size in bytes it is known what is left beside them.
      hasGrown && unit === 'bytes' ? value - before : undefined,
    ),
  };
}

/** Every metric that is known, beside the baseline's. */
export function figuresOf(evidence: Evidence, baseline: Evidence | undefined): Figure[] {
  return metrics.flatMap((metric) => {
    const value = figureOf(metric, evidence);
    if (value === undefined) return [];
    const before = baseline === undefined ? undefined : figureOf(metric, baseline);
    return [{ metric, unit: unitOf(metric), value, baseline: before ?? null }];
  });
}

function figureOf(metric: Metric, evidence: Evidence): number | undefined {
  switch (metric) {
    case 'size.file':
      return evidence.fileBytes;
    case 'size.epk':
      return evidence.epkBytes;
    case 'size.parameters':
      return evidence.parameters;
    case 'accuracy.top1':
      return evidence.top1?.value;
    case 'accuracy.agreement':
      return evidence.agreement?.value;
    case 'accuracy.drop':
      return evidence.drop === undefined
        ? undefined
        : (100 * (evidence.drop.b - evidence.drop.c)) / evidence.drop.samples;
    case 'latency.host':
      return evidence.hostMs?.value;
    case 'latency.device':
      return evidence.deviceMs?.value;
    case 'latency.predicted':
      return evidence.predictedMs?.high;
    case 'memory.engine':
      return evidence.engineBytes;
    case 'memory.activations':
      return evidence.activationBytes;
  }
}

export function unitOf(metric: Metric): Figure['unit'] {
  if (metric === 'size.parameters') return 'count';
  if (metric === 'accuracy.drop') return 'points';
  if (metric.startsWith('latency.')) return 'ms';
  return metric.startsWith('accuracy.') ? 'share' : 'bytes';
}

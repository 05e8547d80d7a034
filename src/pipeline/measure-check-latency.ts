import type { Measured } from '../budget/evidence.ts';
import { isTooFine, judgeMeasuredLatency, withMargin } from '../budget/judge-latency.ts';
import { type Judged, type Judgement, SESSION_MARGIN } from '../budget/judgement.ts';
import type { Limit } from '../budget/resolve-budgets.ts';
import { printable } from '../diagnostics/printable.ts';
import type { BenchProfile } from '../report/bench-schema.ts';
import { formatDuration } from '../report/number-format.ts';
import { describeHost } from '../runtime/host.ts';
import { localMachine } from '../runtime/local-machine.ts';
import { type ComparedLatency, compareLatency } from './compare-latency.ts';
import { type CheckRun, type Gathered, threadsOf } from './gather-evidence.ts';
import type { CheckSubject } from './open-check-subject.ts';
import { tryModel } from './try-model.ts';

/**
 * Finds the host latency that limits ask for. Reports are believed where they decide; else the model, beside the baseline's
 * where there is one, is timed until the limits are decided or the time is up.
 */
export async function measureCheckLatency(run: CheckRun, gathered: Gathered): Promise<Judged> {
  const { subjectModel, baselineModel, ...judged } = gathered;
  const limits = run.limits.filter(({ metric }) => metric === 'latency.host');
  if (limits.length === 0) return judged;
  const isComparable = subjectModel !== undefined && baselineModel !== undefined;
  const isElsewhere = run.subject.report?.latency.host?.cpu !== describeHost().cpuName;
  const known: Judged = {
    ...judged,
    // What was measured on another machine, or not in turns, counts only where nothing better can be had.
    evidence: subjectModel !== undefined && isElsewhere ? { ...judged.evidence, hostMs: undefined } : judged.evidence,
    hostRatio: isComparable ? undefined : ratioByReports(run.subject, run.baseline),
  };
  const isDecided = (of: Judged) => limits.every((limit) => !isOpen(limit, of));
  const needsBoth = limits.some(({ kind }) => kind === 'maxIncrease') && judged.baseline !== undefined;
  if (isDecided(known)) return known;
  if (subjectModel === undefined || (needsBoth && baselineModel === undefined)) {
    const whose = subjectModel === undefined ? "the report's model" : "the baseline's model";
    const missing = `latency is measured in turns, and ${whose} does not lie unchanged beside its report${subjectModel === undefined ? '' : ': add --baseline-model'}`;
    return { ...known, missing: { 'latency.host': missing, ...judged.missing } };
  }
  const models = needsBoth ? [baselineModel!, subjectModel] : [subjectModel];
  const withMeasured = (compared: ComparedLatency): Judged => ({
    ...judged,
    evidence: { ...judged.evidence, hostMs: compared.mediansMs.at(-1)! },
    baseline: needsBoth ? { ...judged.baseline, hostMs: compared.mediansMs[0]! } : judged.baseline,
    hostRatio: needsBoth ? withMargin(compared.ratios[0]!) : known.hostRatio,
  });
  const { maxSeconds, seed } = run.options;
  const threads = threadsOf(run);
  const { logger, signal } = run;
  const measured = withMeasured(
    await compareLatency(models, {
      threads,
      maxSeconds,
      seed,
      logger,
      signal,
      isDecided: (soFar) => isDecided(withMeasured(soFar)),
    }),
  );
  const failed = limits.some((limit) => judgeMeasuredLatency(limit, measured).outcome === 'failed');
  if (!failed || !needsBoth) return measured;
  const profiling = { machine: localMachine(logger), threads, profile: true, logger, signal };
  const [before, after] = [await tryModel(models[0]!, profiling), await tryModel(models[1]!, profiling)];
  return { ...measured, slowerLayers: slowerNodes(before.profile, after.profile) };
}

/** Whether measuring may tell more of a limit. */
function isOpen(limit: Limit, judged: Judged): boolean {
  if (isTooFine(limit) || (limit.kind === 'maxIncrease' && judged.baseline === undefined)) return false;
  const known = limit.kind === 'max' ? judged.evidence.hostMs : judged.hostRatio;
  return known === undefined || judgeMeasuredLatency(limit, judged).outcome === 'undecided';
}

/**
 * Two reports compared by the original that both were timed with in turns: the same file on the same processor. Undefined
 * where it was another.
 */
export function ratioByReports(subject: CheckSubject, baseline: CheckSubject | undefined): Measured | undefined {
  const now = subject.report;
  const before = baseline?.report;
  if (now === undefined || before === undefined || now.model.sha256 !== before.model.sha256) return undefined;
  const a = now.latency.host;
  const b = before.latency.host;
  if (a == null || b == null || a.cpu === undefined || a.cpu !== b.cpu || a.threads !== b.threads) return undefined;
  if (now.versions.onnxruntime !== before.versions.onnxruntime) return undefined;
  const ratios = [a, b].map(({ ratio, ratioLow, ratioHigh }) =>
    ratio === undefined || ratioLow === undefined || ratioHigh === undefined
      ? undefined
      : { ratio, ratioLow, ratioHigh },
  );
  const [after, earlier] = ratios;
  if (after === undefined || earlier === undefined) return undefined;
  const value = after.ratio / earlier.ratio;
  const low = after.ratioLow / earlier.ratioHigh;
  // Four sessions take part, of which each differs.
  return withMargin({ value, low, high: after.ratioHigh / earlier.ratioLow }, 2 * SESSION_MARGIN);
}

const SHOWN = 3;

/** The nodes that take longest on top of what they took, by the engine's profiler. */
export function slowerNodes(
  before: BenchProfile | undefined,
  after: BenchProfile | undefined,
): Judgement['responsible'] {
  if (before === undefined || after === undefined) return [];
  const old = new Map(before.nodes.map(({ name, runMs }) => [name, runMs]));
  return after.nodes
    .map((node) => ({ ...node, growthMs: node.runMs - (old.get(node.name) ?? 0) }))
    .filter(({ growthMs }) => growthMs > 0)
    .sort((a, b) => b.growthMs - a.growthMs)
    .slice(0, SHOWN)
    .map(({ name, opType, runMs, growthMs }) => ({
      name: printable(name, 80),
      detail: old.has(name)
        ? `${printable(opType, 40)}: ${formatDuration(runMs - growthMs)} → ${formatDuration(runMs)}`
        : `${printable(opType, 40)}: ${formatDuration(runMs)} (new)`,
    }));
}

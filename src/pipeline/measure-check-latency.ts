import type { Measured } from '../budget/evidence.ts';
import { isTooFine, judgeMeasuredLatency, withMargin } from '../budget/judge-latency.ts';
import { type Judged, SESSION_MARGIN } from '../budget/judgement.ts';
import type { Limit } from '../budget/resolve-budgets.ts';
import { connectDevice } from '../device/connect-device.ts';
import { localMachine } from '../runtime/local-machine.ts';
import type { Machine } from '../runtime/machine.ts';
import { type ComparedLatency, compareLatency } from './compare-latency.ts';
import { engineThreads } from './engine-threads.ts';
import { asksFor, type CheckRun, type Gathered } from './gather-evidence.ts';
import type { CheckSubject } from './open-check-subject.ts';
import { slowerNodes, slowestNodes } from './responsible-nodes.ts';
import { tryModel } from './try-model.ts';

/** Where latency is judged, and what is known of it there. */
interface Place {
  readonly metric: 'latency.host' | 'latency.device';
  readonly kind: 'host' | 'device';
  readonly ms: 'hostMs' | 'deviceMs';
  readonly ratio: 'hostRatio' | 'deviceRatio';
}

const onHost: Place = { metric: 'latency.host', kind: 'host', ms: 'hostMs', ratio: 'hostRatio' };
const onDevice: Place = { metric: 'latency.device', kind: 'device', ms: 'deviceMs', ratio: 'deviceRatio' };

/**
 * Finds the latencies that limits ask for, on the device first, where one is given, then on this host. Reports are believed where
 * they decide; else the model, beside the baseline's where there is one, is timed until the limits are decided or the time is up.
 * @throws EdgepackError for a device that cannot be measured on.
 */
export async function measureCheckLatency(run: CheckRun, gathered: Gathered): Promise<Judged> {
  const { subjectModel, baselineModel, ...judged } = gathered;
  const models = { subjectModel, baselineModel };
  const there = await judgedThere(run, models, judged);
  return asksFor(run.limits, onHost.metric) ? measureAt(onHost, localMachine(run.logger), run, models, there) : there;
}

type CheckedModels = Pick<Gathered, 'subjectModel' | 'baselineModel'>;

async function judgedThere(run: CheckRun, models: CheckedModels, judged: Judged): Promise<Judged> {
  if (!asksFor(run.limits, onDevice.metric)) return judged;
  const { device, sshConfig } = run.options;
  if (device === undefined) {
    const reason = 'nothing was measured on the device: add --device ssh://user@host, here or to compress';
    return {
      ...judged,
      deviceRatio: ratioByReports(run.subject, run.baseline, 'device'),
      missing: { [onDevice.metric]: reason, ...judged.missing },
    };
  }
  const machine = await connectDevice({ device, sshConfig, logger: run.logger, signal: run.signal });
  try {
    return await measureAt(onDevice, machine, run, models, judged);
  } finally {
    await machine.close();
  }
}

async function measureAt(
  { metric, kind, ms, ratio }: Place,
  machine: Machine,
  run: CheckRun,
  { subjectModel, baselineModel }: CheckedModels,
  judged: Judged,
): Promise<Judged> {
  const limits = run.limits.filter((limit) => limit.metric === metric);
  const isComparable = subjectModel !== undefined && baselineModel !== undefined;
  const isElsewhere = run.subject.report?.latency[kind]?.cpu !== machine.description.cpuName;
  const known: Judged = {
    ...judged,
    // What was measured on another machine, or not in turns, counts only where nothing better can be had.
    evidence: subjectModel !== undefined && isElsewhere ? { ...judged.evidence, [ms]: undefined } : judged.evidence,
    [ratio]: isComparable ? undefined : ratioByReports(run.subject, run.baseline, kind),
  };
  const isDecided = (of: Judged) => limits.every((limit) => !isOpen(limit, of, { ms, ratio }));
  const needsBoth = limits.some((limit) => limit.kind === 'maxIncrease') && judged.baseline !== undefined;
  const threads = engineThreads(run.options.threads, run.target, machine.description);
  const { logger, signal } = run;
  const profiling = { machine, threads, profile: true, logger, signal };
  const explained = async (of: Judged): Promise<Judged> => {
    const failed = limits.filter((limit) => judgeMeasuredLatency(limit, of).outcome === 'failed');
    if (failed.length === 0 || subjectModel === undefined) return of;
    const hasGrown = isComparable && failed.some((limit) => limit.kind === 'maxIncrease');
    const before = hasGrown ? (await tryModel(baselineModel, profiling)).profile : undefined;
    const { profile } = await tryModel(subjectModel, profiling);
    const nodes = before === undefined ? slowestNodes(profile) : slowerNodes(before, profile);
    return { ...of, slowerLayers: { ...of.slowerLayers, [metric]: nodes } };
  };
  if (isDecided(known)) return explained(known);
  if (subjectModel === undefined || (needsBoth && baselineModel === undefined)) {
    const whose = subjectModel === undefined ? "the report's model" : "the baseline's model";
    const missing = `latency is measured in turns, and ${whose} does not lie unchanged beside its report${subjectModel === undefined ? '' : ': add --baseline-model'}`;
    return { ...known, missing: { [metric]: missing, ...judged.missing } };
  }
  const models = needsBoth ? [baselineModel!, subjectModel] : [subjectModel];
  const withMeasured = (compared: ComparedLatency): Judged => ({
    ...judged,
    evidence: { ...judged.evidence, [ms]: compared.mediansMs.at(-1)! },
    baseline: needsBoth ? { ...judged.baseline, [ms]: compared.mediansMs[0]! } : judged.baseline,
    [ratio]: needsBoth ? withMargin(compared.ratios[0]!) : known[ratio],
  });
  const { maxSeconds, seed } = run.options;
  const measured = withMeasured(
    await compareLatency(models, {
      start: () => machine.startEngine(),
      threads,
      maxSeconds,
      seed,
      logger,
      signal,
      isDecided: (soFar) => isDecided(withMeasured(soFar)),
    }),
  );
  return explained(measured);
}

/** Whether measuring may tell more of a limit. */
function isOpen(limit: Limit, judged: Judged, { ms, ratio }: Pick<Place, 'ms' | 'ratio'>): boolean {
  if (isTooFine(limit) || (limit.kind === 'maxIncrease' && judged.baseline === undefined)) return false;
  const known = limit.kind === 'max' ? judged.evidence[ms] : judged[ratio];
  return known === undefined || judgeMeasuredLatency(limit, judged).outcome === 'undecided';
}

/**
 * Two reports compared by the original that both were timed with in turns: the same file on the same processor. Undefined
 * where it was another.
 */
export function ratioByReports(
  subject: CheckSubject,
  baseline: CheckSubject | undefined,
  place: 'host' | 'device',
): Measured | undefined {
  const now = subject.report;
  const before = baseline?.report;
  if (now === undefined || before === undefined || now.model.sha256 !== before.model.sha256) return undefined;
  const a = now.latency[place];
  const b = before.latency[place];
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

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Evidence, evidenceOfMemory, evidenceOfReport } from '../budget/evidence.ts';
import type { Judged } from '../budget/judgement.ts';
import type { Limit } from '../budget/resolve-budgets.ts';
import { fingerprintLabelled } from '../data/dataset.ts';
import type { Logger } from '../diagnostics/logger.ts';
import { type Comparison, scoreModels } from '../evaluation/score-models.ts';
import { readModel } from '../formats/onnx/read-model.ts';
import { startEngine } from '../runtime/engine.ts';
import { localMachine } from '../runtime/local-machine.ts';
import type { Target } from '../targets/target-schema.ts';
import { benchOptionsSchema } from './bench-options.ts';
import { perSampleAnswers } from './build-report.ts';
import type { ResolvedCheckOptions } from './check-options.ts';
import { compressOptionsSchema } from './compress-options.ts';
import { engineLimits } from './engine-limits.ts';
import { engineThreads } from './engine-threads.ts';
import { modelMemory } from './model-memory.ts';
import { type BenchModel, openBenchModel } from './open-bench-model.ts';
import type { CheckSubject } from './open-check-subject.ts';
import { openSamples } from './open-samples.ts';
import { pack } from './pack-model.ts';
import { predictChecked } from './predict-checked.ts';
import { sizedInitializers } from './sized-initializers.ts';
import { tryModel } from './try-model.ts';

/** One run of `check`. */
export interface CheckRun {
  readonly subject: CheckSubject;
  readonly baseline: CheckSubject | undefined;
  readonly limits: readonly Limit[];
  readonly options: ResolvedCheckOptions;
  readonly target: Target;
  /** For what is unpacked and packed on the way. */
  readonly folder: string;
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
}

/** What is known before latencies are measured, and the models that can be run. */
export interface Gathered extends Judged {
  readonly subjectModel: BenchModel | undefined;
  readonly baselineModel: BenchModel | undefined;
}

/** Collects what reports say, and measures of the models what limits ask for: sizes, accuracy, memory. */
export async function gatherEvidence(run: CheckRun): Promise<Gathered> {
  const { subject, baseline, limits } = run;
  const subjectModel = await openModel(subject, 'checked', run);
  const baselineModel = baseline === undefined ? undefined : await openModel(baseline, 'baseline', run);
  const missing: Record<string, string> = {};
  let evidence = await knownOf(subject, subjectModel, run);
  let before = baseline === undefined ? undefined : await knownOf(baseline, baselineModel, run);
  if (asksFor(limits, 'accuracy.')) {
    const unscored = [subject, baseline].filter((of) => of !== undefined && of.report === undefined);
    if (unscored.length > 0) {
      const scored = await score(run, subjectModel, baselineModel, missing);
      if (subject.report === undefined) evidence = { ...evidence, ...scored.subject };
      if (baseline !== undefined && baseline.report === undefined) before = { ...before, ...scored.baseline };
    }
  }
  if (asksFor(limits, 'latency.predicted')) {
    const now = predictChecked(subject, subjectModel, run);
    evidence = { ...evidence, predictedMs: now.predictedMs };
    const earlier = baseline === undefined ? undefined : predictChecked(baseline, baselineModel, run);
    if (earlier !== undefined) before = { ...before, predictedMs: earlier.predictedMs };
    const whose = now.missing === undefined ? 'for the baseline' : 'for this target';
    const reason = now.missing ?? earlier?.missing;
    if (reason !== undefined) missing['latency.predicted'] = `no latency is predicted ${whose}: ${reason}`;
  }
  if (asksFor(limits, 'memory.engine')) {
    evidence = { ...evidence, engineBytes: await memoryOf(subjectModel, run) };
    if (before !== undefined) before = { ...before, engineBytes: await memoryOf(baselineModel, run) };
  }
  if (asksFor(limits, 'memory.activations')) {
    missing['memory.activations'] =
      'the size of some activation is not known ("edgepack inspect" says of which), or the report is of an older version';
  }
  return { evidence, baseline: before, missing, subjectModel, baselineModel };
}

export function asksFor(limits: readonly Limit[], metricOrGroup: string): boolean {
  return limits.some(({ metric }) => metric.startsWith(metricOrGroup));
}

async function openModel(
  { modelPath, report }: CheckSubject,
  label: string,
  { folder, limits, options }: CheckRun,
): Promise<BenchModel | undefined> {
  // Real samples are run where they are known: made-up inputs do not suit every model.
  const isTimedThere = options.device !== undefined && asksFor(limits, 'latency.device');
  const isRun = isTimedThere || asksFor(limits, 'latency.host') || asksFor(limits, 'memory.engine');
  if (modelPath === undefined || (report !== undefined && !isRun)) return undefined;
  const data = isRun ? (options.evaluation ?? options.data) : undefined;
  const preprocess = options.preprocess;
  const bench = benchOptionsSchema.parse({
    seed: options.seed,
    ...(data === undefined ? {} : { data }),
    ...(preprocess === undefined ? {} : { preprocess }),
  });
  return openBenchModel(modelPath, label, join(folder, label), bench, isRun);
}

async function knownOf(
  { report, modelPath }: CheckSubject,
  model: BenchModel | undefined,
  { limits, folder, signal }: CheckRun,
): Promise<Evidence> {
  if (report !== undefined) return evidenceOfReport(report);
  const { facts, onnxPath, label } = model!;
  const graph = readModel(onnxPath, { ort: true });
  const fileParts = sizedInitializers(graph).map(({ name, sizeBytes }) => ({ name, value: sizeBytes }));
  const known: Evidence = {
    fileBytes: facts.sizeBytes,
    fileFormat: /\.ort$/i.test(onnxPath) ? 'ort' : 'onnx',
    parameters: facts.parameters,
    fileParts,
    parameterParts: fileParts,
    ...evidenceOfMemory(modelMemory(graph)),
  };
  if (!asksFor(limits, 'size.epk') || known.fileFormat === 'ort') return known;
  if (onnxPath !== modelPath) return { ...known, epkBytes: statSync(modelPath!).size, epkParts: fileParts };
  const { epk } = await pack(onnxPath, join(folder, `${label}.epk`), {}, signal === undefined ? {} : { signal });
  return { ...known, epkBytes: epk.sizeBytes, epkParts: fileParts };
}

/** Peak memory of the engine with this model alone: the smaller of two processes, as the system's share comes and goes. */
async function memoryOf(model: BenchModel | undefined, run: CheckRun): Promise<number | undefined> {
  if (model === undefined) return undefined;
  const options = {
    machine: localMachine(run.logger),
    threads: threadsOf(run),
    profile: false,
    logger: run.logger,
    signal: run.signal,
  };
  const first = await tryModel(model, options);
  const second = await tryModel(model, options);
  return Math.min(first.record.enginePeakBytes, second.record.enginePeakBytes);
}

export function threadsOf({ options, target }: CheckRun): number {
  return engineThreads(options.threads, target);
}

/** Evaluates the models that have no report, on the samples on which a report of the same data was evaluated. */
async function score(
  run: CheckRun,
  subjectModel: BenchModel | undefined,
  baselineModel: BenchModel | undefined,
  missing: Record<string, string>,
): Promise<{ readonly subject: Evidence; readonly baseline: Evidence }> {
  const { subject, baseline, options, logger, signal } = run;
  const { data, evaluation, labels, preprocess, seed, original } = options;
  const scoring: readonly { readonly name: 'subject' | 'baseline'; readonly model: BenchModel }[] = [
    ...(subject.report === undefined ? [{ name: 'subject' as const, model: subjectModel! }] : []),
    ...(baseline !== undefined && baseline.report === undefined
      ? [{ name: 'baseline' as const, model: baselineModel! }]
      : []),
  ];
  const found: { subject: Evidence; baseline: Evidence } = { subject: {}, baseline: {} };
  const given = Object.fromEntries(
    Object.entries({ data, evaluation, labels, preprocess, seed }).filter(([, value]) => value !== undefined),
  );
  const samples = await openSamples(
    readModel(scoring[0]!.model.onnxPath, { ort: true }),
    compressOptionsSchema.parse(given),
  );
  if (samples.evaluation === undefined) {
    for (const metric of ['top1', 'drop', 'agreement']) {
      missing[`accuracy.${metric}`] =
        'a model without a report is evaluated here, and there are no samples: add --data';
    }
    return found;
  }
  if (original === undefined) {
    for (const metric of ['drop', 'agreement']) {
      missing[`accuracy.${metric}`] = 'a model without a report is compared with its original: add --original';
    }
  }
  const threads = threadsOf(run);
  const dataSha256 = await fingerprintLabelled(samples.evaluation);
  const engine = await startEngine({ logger });
  try {
    const paths = [...scoring.map(({ model }) => model.onnxPath), ...(original === undefined ? [] : [original])];
    const asked = paths.map((path) => ({ path, model: readModel(path), sizeBytes: statSync(path).size }));
    await engine.limit(engineLimits(asked));
    const models = [];
    for (const { model } of scoring) {
      models.push(await engine.load(model.onnxPath, { threads, exact: true, label: model.label }));
    }
    const reference = original === undefined ? models[0]! : await engine.load(original, { threads });
    const { candidates } = await scoreModels(reference, models, samples.evaluation, { logger, signal });
    for (const [i, { name }] of scoring.entries()) {
      found[name] = evidenceOfScores(candidates[i]!, samples.evaluation.count, dataSha256, original !== undefined);
    }
    return found;
  } finally {
    await engine.close();
  }
}

function evidenceOfScores(
  comparison: Comparison,
  samples: number,
  dataSha256: string,
  isAgainstOriginal: boolean,
): Evidence {
  const { top1, agreement, paired, correct, agrees } = comparison;
  const answers = perSampleAnswers({ correct, agrees: isAgainstOriginal ? agrees : null }, dataSha256);
  return {
    samples,
    top1: top1 ?? undefined,
    perSample: answers ?? undefined,
    ...(isAgainstOriginal
      ? { agreement: agreement ?? undefined, drop: paired === null ? undefined : { ...paired, samples } }
      : {}),
  };
}

import { encodeAnswerBits } from '../evaluation/answer-bits.ts';
import { pairedLatencyRatio, summarizeLatency } from '../evaluation/latency-statistics.ts';
import type { Comparison, Scores } from '../evaluation/score-models.ts';
import type { WrittenEpk } from '../formats/epk/write-epk.ts';
import type { Recipe } from '../recipes/recipe-schema.ts';
import type { MemoryDemand } from '../report/memory-schema.ts';
import { memoryWarning } from '../report/memory-text.ts';
import type { Report, ReportAccuracy, ReportComparison } from '../report/report-schema.ts';
import { type SizedInitializer, sizeTable } from '../report/size-table.ts';
import { describeHost } from '../runtime/host.ts';
import type { LatencyMeasurement } from '../runtime/latency.ts';
import type { ChosenProvider } from '../targets/choose-provider.ts';
import type { Target } from '../targets/target-schema.ts';
import type { FileFacts } from './api-types.ts';
import type { ChosenExecution } from './choose-execution.ts';
import type { ResolvedCompressOptions } from './compress-options.ts';
import { engineThreads } from './engine-threads.ts';
import { runProvider } from './follow-provider.ts';
import { deviceLabel, hostLabel } from './host-label.ts';
import type { MeasuredResult } from './measure-result.ts';
import type { RunSamples } from './open-samples.ts';
import { packageVersion } from './package-version.ts';
import { plain, predictForTarget, type TargetNetwork, usableLatency } from './predict.ts';
import type { StepsResult, Warning } from './run-steps.ts';
import type { PairedLatency } from './time-beside-original.ts';

/** What a report needs of a model that is or may be gone. */
export interface DescribedModel {
  readonly initializers: readonly SizedInitializer[];
  /** For its latency on the target. */
  readonly onTarget: TargetNetwork;
  readonly memory: MemoryDemand;
}

export interface ReportInput {
  readonly facts: Report['model'];
  readonly recipe: Recipe;
  readonly target: Target;
  readonly provider: ChosenProvider;
  readonly options: ResolvedCompressOptions;
  readonly samples: RunSamples;
  /** The model as the file has it. */
  readonly original: DescribedModel;
  readonly compressed: DescribedModel;
  readonly done: StepsResult;
  readonly onnxBytes: number;
  /** Where it was asked for. */
  readonly ortBytes: number | undefined;
  readonly epk: WrittenEpk;
  readonly measured: MeasuredResult;
  readonly chosen: Pick<ChosenExecution, 'latency' | 'onDevice' | 'execution'>;
  readonly files: readonly FileFacts[];
  readonly warnings: readonly Warning[];
  readonly engineVersion: string;
  readonly enginePeakBytes: number;
  readonly commandLine: string | undefined;
}

/** Puts together what a run found out. */
export function buildReport(input: ReportInput): Report {
  const { measured, samples, options, done } = input;
  const accuracy = accuracyOf(input);
  const demand = { original: input.original.memory, compressed: input.compressed.memory };
  const tooMuch = memoryWarning(demand.compressed, input.target);
  const missing: Record<string, string> = {};
  if (accuracy === null) missing.accuracy = 'there were no evaluation samples: add --data or --evaluation';
  return {
    reportVersion: 1,
    tool: { name: 'edgepack', version: packageVersion },
    model: input.facts,
    target: withoutLatency(input.target),
    provider: runProvider(input.provider, input.target),
    recipe: input.recipe,
    data: {
      calibration:
        samples.statistics === undefined || samples.selection === undefined
          ? null
          : { path: samples.calibrationPath!, samples: samples.statistics.count + samples.selection.count },
      evaluation:
        samples.evaluation === undefined ? null : { path: samples.evaluationPath!, samples: samples.evaluation.count },
    },
    steps: [...done.steps],
    sizes: sizesOf(input),
    accuracy,
    layers: done.layers.map((layer) => ({
      name: layer.node,
      opType: layer.opType,
      precision: layer.keptFloat === undefined ? 'int8' : 'float',
      sqnrDb: measured.layerSqnrDb.get(layer.output) ?? null,
      reason: layer.keptFloat ?? null,
    })),
    integerShare: measured.integerShare,
    execution: input.chosen.execution,
    latency: { host: latencyOf(input), ...deviceOf(input), predicted: predictedOf(input, missing) },
    memory: {
      enginePeakBytes: Math.round(input.enginePeakBytes),
      toolPeakBytes: process.resourceUsage().maxRSS * 1024,
      demand,
    },
    missing,
    warnings: [...input.warnings, ...calibrationWarnings(input.target), ...(tooMuch === undefined ? [] : [tooMuch])],
    outputs: [...input.files],
    versions: { node: process.versions.node, onnxruntime: input.engineVersion, edgepack: packageVersion },
    seed: options.seed,
    commandLine: input.commandLine ?? null,
  };
}

/** A report names the source of each prediction; the models behind them stay with the target. */
function withoutLatency({ latency: _models, ...target }: Target): Target {
  return target;
}

function calibrationWarnings(target: Target): Warning[] {
  const { problem } = usableLatency(target);
  return problem === undefined ? [] : [{ code: 'calibration-unreadable', message: problem }];
}

function predictedOf(
  { original: before, compressed: after, target, provider, options }: ReportInput,
  missing: Record<string, string>,
): NonNullable<Report['latency']['predicted']> {
  const networks = [before.onTarget, after.onTarget];
  const [original, compressed] = predictForTarget(networks, target, options.threads ?? target.threads, provider);
  for (const [part, answer] of Object.entries({ original, compressed })) {
    if (answer !== undefined && 'missing' in answer) missing[`latency.predicted.${part}`] = answer.missing;
  }
  return { original: plain(original!), compressed: plain(compressed!) };
}

function sizesOf({ facts, original, compressed, onnxBytes, ortBytes, epk }: ReportInput): Report['sizes'] {
  const codedBytes = new Map<string, number>();
  for (const section of epk.sections) {
    codedBytes.set(section.name, (codedBytes.get(section.name) ?? 0) + section.codedBytes);
  }
  const table = sizeTable({
    originalBytes: facts.sizeBytes,
    original: original.initializers,
    onnxBytes,
    compressed: compressed.initializers,
    epk: { sizeBytes: epk.byteLength, codedBytes },
  });
  return ortBytes === undefined ? table : { ...table, ortBytes };
}

function accuracyOf({ measured, options, target }: ReportInput): ReportAccuracy | null {
  const { scores } = measured;
  if (scores === undefined) return null;
  const [exact, host] = scores.candidates as [Comparison, Comparison];
  const labelled = scores.reference.top1 !== null;
  const { paired } = exact;
  const allowed = options.maxAccuracyDrop;
  const dropPoints = paired === null ? null : 100 * paired.difference;
  return {
    samples: scores.samples,
    labelled,
    metric: labelled ? 'top1' : exact.agreement === null ? 'sqnr' : 'agreement',
    original: scoresOf(scores.reference),
    exact: comparisonOf(exact),
    host: comparisonOf(host),
    paired,
    perSample: perSampleAnswers(exact, measured.evaluationSha256),
    limit:
      dropPoints === null || paired === null
        ? null
        : {
            maxAccuracyDropPoints: allowed,
            dropPoints,
            met: dropPoints <= allowed + 200 * paired.standardError,
          },
    note: arithmeticNote(exact, host, target),
  };
}

/** The answers sample by sample, for later comparisons; null without class scores. */
export function perSampleAnswers(
  { correct, agrees }: Pick<Comparison, 'correct' | 'agrees'>,
  dataSha256: string | undefined,
): NonNullable<ReportAccuracy['perSample']> | null {
  if (dataSha256 === undefined || (correct === null && agrees === null)) return null;
  const bits = (answers: readonly boolean[] | null) => (answers === null ? null : encodeAnswerBits(answers));
  return { dataSha256, correct: bits(correct), agrees: bits(agrees) };
}

function scoresOf({ top1, top5 }: Scores): ReportAccuracy['original'] {
  return { top1, top5 };
}

function comparisonOf({ top1, top5, agreement, sqnrDb, cosine, klDivergence }: Comparison): ReportComparison {
  return { top1, top5, agreement, sqnrDb, cosine, klDivergence };
}

/** Differences in agreement with the original below this are the rounding of different kernels. */
const NOTEWORTHY_DIFFERENCE = 0.02;

/** One line on why this host's engine and exact arithmetic give different answers. */
export function arithmeticNote(exact: Comparison, host: Comparison, target: Target): string | null {
  const difference = Math.abs((exact.agreement?.value ?? 0) - (host.agreement?.value ?? 0));
  const sqnrGap = Math.abs((exact.sqnrDb ?? 0) - (host.sqnrDb ?? 0));
  if (difference < NOTEWORTHY_DIFFERENCE && sqnrGap < 3) return null;
  const { cpuName, saturatesPairs } = describeHost();
  const reason =
    saturatesPairs === true
      ? 'its processor has no VNNI, so its int8 kernels add pairs of products in saturating 16 bits'
      : 'its kernels compute differently from exact integer arithmetic';
  return `this host (${cpuName}) gives other answers than ${target.displayName}: ${reason}; believe the exact figures for the target`;
}

function latencyOf({ chosen, options, target }: ReportInput): Report['latency']['host'] {
  const { cpuName } = describeHost();
  const threads = engineThreads(options.threads, target);
  const measured = pairedLatency(chosen.latency, options.seed);
  return { cpu: cpuName, threads, ...measured, label: hostLabel(cpuName, [threads]) };
}

function deviceOf({ chosen, options, target }: ReportInput): { device?: Report['latency']['device'] } {
  if (chosen.onDevice === undefined) return {};
  const { device, latency } = chosen.onDevice;
  const { address, description } = device;
  const { cpuName } = description;
  const threads = engineThreads(options.threads, target, description);
  const measured = pairedLatency(latency, options.seed);
  return { device: { cpu: cpuName, threads, ...measured, label: deviceLabel(address, cpuName, [threads]) } };
}

function pairedLatency({ original, compressed, ratio: decided }: PairedLatency, seed: number) {
  const { ratio, interval } = pairedLatencyRatio(compressed.roundsMs, original.roundsMs, { seed });
  return {
    rounds: original.roundsMs.length,
    original: samplesOf(original, seed),
    compressed: samplesOf(compressed, seed),
    ratio: decided?.value ?? ratio,
    ratioLow: decided?.low ?? interval.low,
    ratioHigh: decided?.high ?? interval.high,
  };
}

/** Runs that are listed; more are thinned out evenly. */
const MAX_LISTED_SAMPLES = 200;

function samplesOf({ roundsMs }: LatencyMeasurement, seed: number): NonNullable<Report['latency']['host']>['original'] {
  const { median, p90, p99 } = summarizeLatency(roundsMs, { seed });
  const samplesMs = roundsMs.flatMap((round) => Array.from(round));
  const step = Math.max(1, Math.ceil(samplesMs.length / MAX_LISTED_SAMPLES));
  return {
    medianMs: median.valueMs,
    medianLowMs: median.interval?.low ?? median.valueMs,
    medianHighMs: median.interval?.high ?? median.valueMs,
    p90Ms: p90.valueMs,
    p99Ms: p99.valueMs,
    samples: samplesMs.filter((_, i) => i % step === 0),
  };
}

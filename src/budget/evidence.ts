import type { Interval } from '../evaluation/bootstrap-interval.ts';
import type { ShareInterval } from '../evaluation/statistics.ts';
import type { CheckedReport, PerSampleAnswers } from './checked-report.ts';

export interface Measured extends Interval {
  readonly value: number;
}

/** Samples that two models judge differently. */
export interface PairedCounts {
  /** Right before, wrong after. */
  readonly b: number;
  /** Wrong before, right after. */
  readonly c: number;
  readonly samples: number;
}

export interface Part {
  readonly name: string;
  readonly value: number;
}

/** Everything that is known about one model, for its budgets; what is not known is undefined. */
export interface Evidence {
  readonly fileBytes?: number | undefined;
  /** What that file is; .onnx by default. */
  readonly fileFormat?: 'onnx' | 'ort' | undefined;
  readonly epkBytes?: number | undefined;
  readonly parameters?: number | undefined;
  /** Bytes of the initializers in the .onnx, and in the .epk. */
  readonly fileParts?: readonly Part[] | undefined;
  readonly epkParts?: readonly Part[] | undefined;
  /** Bytes of the initializers whose elements are counted. */
  readonly parameterParts?: readonly Part[] | undefined;
  /** In the arithmetic of the target. */
  readonly top1?: ShareInterval | undefined;
  readonly agreement?: ShareInterval | undefined;
  readonly samples?: number | undefined;
  /** The model against its original. */
  readonly drop?: PairedCounts | undefined;
  readonly perSample?: PerSampleAnswers | undefined;
  readonly layers?: CheckedReport['layers'] | undefined;
  readonly hostMs?: Measured | undefined;
  readonly deviceMs?: Measured | undefined;
  readonly predictedMs?: Measured | undefined;
  readonly engineBytes?: number | undefined;
  /** By liveness analysis, and the tensors that are in memory at the peak. */
  readonly activationBytes?: number | undefined;
  readonly activationParts?: readonly Part[] | undefined;
}

/** What a report knows about the compressed model. */
export function evidenceOfReport(report: CheckedReport): Evidence {
  const { sizes, accuracy, latency } = report;
  const median = (times: { medianMs: number; medianLowMs: number; medianHighMs: number } | undefined) =>
    times === undefined ? undefined : { value: times.medianMs, low: times.medianLowMs, high: times.medianHighMs };
  const band = latency.predicted?.compressed ?? undefined;
  const memory = report.memory?.demand?.compressed;
  const coded = sizes.initializers.filter(({ codedBytes }) => codedBytes !== null);
  // The file that the device gets, where only one was written.
  const isOrt = sizes.ortBytes !== undefined && !report.outputs.some(({ path }) => /\.onnx$/i.test(path));
  return {
    fileBytes: isOrt ? sizes.ortBytes : sizes.onnxBytes,
    fileFormat: isOrt ? 'ort' : 'onnx',
    epkBytes: sizes.epkBytes ?? undefined,
    parameters: report.model.parameters,
    fileParts: sizes.initializers.map(({ name, quantizedBytes }) => ({ name, value: quantizedBytes })),
    parameterParts: sizes.initializers.map(({ name, originalBytes }) => ({ name, value: originalBytes })),
    epkParts: coded.map(({ name, codedBytes }) => ({ name, value: codedBytes! })),
    top1: accuracy?.exact?.top1 ?? undefined,
    agreement: accuracy?.exact?.agreement ?? undefined,
    samples: accuracy?.samples,
    drop: accuracy?.paired == null ? undefined : { ...accuracy.paired, samples: accuracy.samples },
    perSample: accuracy?.perSample ?? undefined,
    layers: report.layers,
    hostMs: median(latency.host?.compressed),
    deviceMs: median(latency.device?.compressed),
    ...(memory == null ? {} : evidenceOfMemory(memory)),
    predictedMs: band === undefined ? undefined : { value: band.latencyMs, low: band.lowMs, high: band.highMs },
  };
}

/** What a graph says of activations. */
export function evidenceOfMemory({
  peakActivationBytes,
  live,
}: NonNullable<NonNullable<CheckedReport['memory']>['demand']>['compressed']): Evidence {
  return {
    activationBytes: peakActivationBytes ?? undefined,
    activationParts: live.map(({ name, sizeBytes }) => ({ name, value: sizeBytes })),
  };
}

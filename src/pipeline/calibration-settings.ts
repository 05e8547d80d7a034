import type { NetworkMeasurement } from '../latency/calibrate-profile.ts';
import type { MeasuredSetting } from '../latency/calibrate-target.ts';
import { logPredict } from '../latency/fit-coefficients.ts';
import { featureVector } from '../latency/layer-cost.ts';
import { logCoefficients } from '../latency/predict-latency.ts';
import type { CalibrationMeasurement, LatencyProfile } from '../targets/latency-schema.ts';
import type { CalibratedPrecision } from './calibrate-options.ts';
import type { ReferenceResult } from './measure-references.ts';
import { packageVersion } from './package-version.ts';

export interface SettingFacts {
  readonly precisions: readonly CalibratedPrecision[];
  readonly threads: readonly number[];
  readonly board: string;
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly inSpiteOf: readonly string[];
  /** The machine, for a person. */
  readonly where: string;
}

/** What ran with each precision and number of threads, with everything that a profile says of its own origin. */
export function measuredSettings(results: readonly ReferenceResult[], facts: SettingFacts): readonly MeasuredSetting[] {
  return facts.precisions.flatMap((precision) =>
    facts.threads.map((threads) => {
      const rows = results.map(
        ({ rows: all }) => all.find((row) => row.precision === precision && row.threads === threads)!,
      );
      const { source, versions } = results[0]!.result;
      const [first, last] = [rows[0]!, rows.at(-1)!];
      const measured: CalibrationMeasurement = {
        at: facts.measuredAt,
        edgepackVersion: packageVersion,
        cpu: source.cpu.slice(0, 200),
        governor: source.governor?.slice(0, 80) ?? null,
        maxFrequencyMhz: source.maxFrequencyMhz,
        frequencyMhz: { before: first.frequencyMhz.before, after: last.frequencyMhz.after },
        temperatureC: { before: first.temperatureC.before, after: last.temperatureC.after },
        loadAverage: rows.reduce<number | null>(
          (most, { loadAverage }) => (loadAverage === null ? most : Math.max(most ?? 0, loadAverage)),
          null,
        ),
        inSpiteOf: facts.inSpiteOf.map((reason) => reason.slice(0, 400)).slice(0, 64),
        networks: rows.map(({ network, latencyMs, interval }) => ({
          network,
          latencyMs,
          lowMs: interval?.low ?? null,
          highMs: interval?.high ?? null,
        })),
      };
      return {
        setting: {
          engine: 'onnxruntime',
          engineVersion: versions.onnxruntime,
          precision,
          threads,
          cores: 'all' as const,
          // ONNX Runtime for Node.js is made for these alone.
          osBits: 64 as const,
          board: facts.board,
          source: sourceText(measured, facts),
          measured,
        },
        measurements: results.map(({ features }, i) => ({ features, latencyMs: rows[i]!.latencyMs })),
      };
    }),
  );
}

/** Median of |fitted - measured| / measured over the networks that a profile was made from. */
export function medianError(profile: LatencyProfile, measurements: readonly NetworkMeasurement[]): number {
  const log = logCoefficients(profile);
  const errors = measurements
    .map(({ features, latencyMs }) => Math.abs(Math.exp(logPredict(featureVector(features), log)) / latencyMs - 1))
    .sort((a, b) => a - b);
  const middle = errors.length >> 1;
  return errors.length % 2 === 1 ? errors[middle]! : (errors[middle - 1]! + errors[middle]!) / 2;
}

function sourceText(measured: CalibrationMeasurement, { where, inSpiteOf }: SettingFacts): string {
  const { networks, at, cpu, governor, frequencyMhz, maxFrequencyMhz, temperatureC, edgepackVersion } = measured;
  const mhz = frequencyMhz.after ?? maxFrequencyMhz;
  const parts = [
    `${networks.length} reference networks of edgepack ${edgepackVersion}, measured on ${where} (${cpu}) on ${at.slice(0, 10)}`,
    ...(governor === null ? [] : [`governor ${governor}`]),
    ...(mhz === null ? [] : [`${Math.round(mhz)} MHz`]),
    ...(temperatureC.after === null ? [] : [`${Math.round(temperatureC.after)} °C`]),
    ...inSpiteOf.slice(0, 1).map((reason) => `in spite of ${reason}`),
    ...(inSpiteOf.length > 1 ? [`and ${inSpiteOf.length - 1} more`] : []),
  ];
  const text = parts.join(', ');
  return text.length <= 500 ? text : `${text.slice(0, 499)}…`;
}

import type { Logger } from '../diagnostics/logger.ts';
import type { BenchResult } from '../report/bench-schema.ts';
import type { CalibrationResult } from '../report/calibration-result-schema.ts';
import type { Machine } from '../runtime/machine.ts';
import type { CostFeatures } from '../targets/cost-features.ts';
import { benchOn } from './bench.ts';
import { type BenchOptions, benchOptionsSchema } from './bench-options.ts';
import type { CalibratedPrecision } from './calibrate-options.ts';
import { disturbances } from './calibration-obstacles.ts';
import type { ReferenceModel } from './reference-models.ts';

/** One network as it ran. */
export interface ReferenceResult {
  readonly name: string;
  readonly features: CostFeatures;
  readonly result: BenchResult;
  readonly rows: CalibrationResult['rows'];
}

export interface MeasureReferencesOptions {
  /** For each network. */
  readonly options: Pick<BenchOptions, 'threads' | 'maxSeconds'>;
  /** Told of what makes the figures of a network useless; throws to end it there. */
  onDisturbance(network: string, reason: string): void;
  readonly logger: Logger;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Times networks one after the other, the precisions of each in turns, and looks after each whether the board was itself: a
 * calibration that is not going to be kept ends there.
 */
export async function measureReferences(
  machine: Machine,
  models: readonly ReferenceModel[],
  { options, onDisturbance, logger, signal }: MeasureReferencesOptions,
): Promise<readonly ReferenceResult[]> {
  const progress = logger.progress('Measuring reference networks', models.length);
  // One line for all of them instead of several for each.
  const quiet: Logger = { ...logger, info() {}, progress: () => ({ update() {}, done() {} }) };
  const results: ReferenceResult[] = [];
  try {
    for (const [i, { name, features, paths }] of models.entries()) {
      signal?.throwIfAborted();
      const entries = Object.entries(paths) as [CalibratedPrecision, string][];
      const context = { logger: quiet, ...(signal === undefined ? {} : { signal }) };
      const result = await benchOn(
        machine,
        entries.map(([, path]) => path),
        benchOptionsSchema.parse(options),
        context,
      );
      for (const reason of disturbances(result)) onDisturbance(name, reason);
      const precisions = entries.map(([precision]) => precision);
      results.push({ name, features, result, rows: rowsOf(name, precisions, result) });
      progress.update(i + 1);
    }
    return results;
  } finally {
    progress.done();
  }
}

function rowsOf(
  network: string,
  precisions: readonly CalibratedPrecision[],
  { measurements }: BenchResult,
): CalibrationResult['rows'] {
  return measurements.flatMap(({ threads, load, models }) =>
    models.map(({ median, minMs, p90 }, m) => ({
      network,
      precision: precisions[m]!,
      threads,
      latencyMs: median.valueMs,
      interval: median.interval,
      minMs,
      p90Ms: p90.valueMs,
      loadAverage: load.loadAverage,
      otherBusyCores: load.otherBusyCores,
      frequencyMhz: load.frequencyMhz,
      temperatureC: load.temperatureC,
    })),
  );
}

import { type Dataset, type InputSpec, openDataset, splitDataset, spread } from '../data/dataset.ts';
import { type KeptDataset, keepFeeds } from '../data/keep-feeds.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import type { Model } from '../ir/model.ts';
import type { DataType } from '../tensor/data-type.ts';
import { dataTypeName } from '../tensor/data-type.ts';
import type { ResolvedCompressOptions } from './compress-options.ts';

/** The samples of a run by what they are for. */
export interface RunSamples {
  /** Gather activation statistics where those of `selection` are not enough, and tell what answers can stand. */
  readonly statistics: Dataset | undefined;
  /** Choose between variants; activation statistics come from these first. */
  readonly selection: KeptDataset | undefined;
  /** Judge the result; decide nothing. */
  readonly evaluation: Dataset | undefined;
  readonly calibrationPath: string | undefined;
  readonly evaluationPath: string | undefined;
}

/** More samples than these change neither ranges nor choices, but take their time. */
const MAX_STATISTICS_SAMPLES = 512;
const MAX_SELECTION_SAMPLES = 128;

/** Selection samples, and the original's answers to them, are kept in memory up to this. */
export const KEPT_BYTES = 2 ** 25;

/**
 * Opens and divides the data of a run: `data` is split evenly into calibration and evaluation, calibration three to one
 * into statistics and selection; by class, in the order of the contents' hashes.
 */
export async function openSamples(model: Model, options: ResolvedCompressOptions): Promise<RunSamples> {
  const { data, calibration, evaluation, seed } = options;
  const open = (path: string) => openDataset(path, datasetOptions(model, options));
  let forCalibration = calibration === undefined ? undefined : await open(calibration);
  let forEvaluation = evaluation === undefined ? undefined : await open(evaluation);
  if (data !== undefined && (forCalibration === undefined || forEvaluation === undefined)) {
    const all = await open(data);
    if (forCalibration === undefined && forEvaluation === undefined) {
      if (all.count < 4) {
        throw new EdgepackError('data-mismatch', `holds ${all.count} samples; at least 4 are needed to divide them`, {
          location: { file: data },
          hint: 'give more samples, or --calibration and --evaluation',
        });
      }
      [forCalibration, forEvaluation] = (await splitDataset(all, { parts: [1, 1], seed })) as [Dataset, Dataset];
    } else {
      forCalibration ??= all;
      forEvaluation ??= all;
    }
  }
  const calibrationPath = forCalibration === undefined ? undefined : (calibration ?? data);
  const evaluationPath = forEvaluation === undefined ? undefined : (evaluation ?? data);
  const paths = { calibrationPath, evaluationPath, evaluation: forEvaluation };
  if (forCalibration === undefined) return { ...paths, statistics: undefined, selection: undefined };
  if (forCalibration.count < 4)
    return { ...paths, statistics: forCalibration.subset([]), selection: keepFeeds(forCalibration, KEPT_BYTES) };
  const [statistics, selection] = (await splitDataset(forCalibration, { parts: [3, 1], seed })) as [Dataset, Dataset];
  return {
    ...paths,
    statistics: atMost(statistics, MAX_STATISTICS_SAMPLES),
    selection: keepFeeds(atMost(selection, MAX_SELECTION_SAMPLES), KEPT_BYTES),
  };
}

/** How a model's data is opened. */
export function datasetOptions(
  model: Model,
  options: { readonly labels?: string | undefined; readonly preprocess?: ResolvedCompressOptions['preprocess'] },
): Parameters<typeof openDataset>[1] {
  return { inputs: inputSpecs(model), labels: options.labels, preprocess: options.preprocess };
}

function inputSpecs(model: Model): InputSpec[] {
  return model.graph.inputs
    .filter((value) => value.tensor === undefined)
    .map((value) => {
      if (value.type?.kind !== 'tensor') {
        throw new EdgepackError('data-mismatch', `the input '${value.name}' is no tensor; it cannot be fed from data`);
      }
      const { elemType, shape } = value.type;
      if (shape === undefined) {
        throw new EdgepackError(
          'data-mismatch',
          `the input '${value.name}' (${dataTypeName(elemType)}) states no shape; it cannot be fed from data`,
          { hint: 'export the model with input shapes' },
        );
      }
      return { name: value.name, dataType: elemType as DataType, shape };
    });
}

function atMost(samples: Dataset, limit: number): Dataset {
  return samples.count <= limit ? samples : samples.subset(spread(0, samples.count, limit));
}

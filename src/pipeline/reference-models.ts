import { join } from 'node:path';
import { collectStatistics } from '../calibration/collect-statistics.ts';
import type { Dataset } from '../data/dataset.ts';
import { type Logger, silentLogger } from '../diagnostics/logger.ts';
import { syntheticFeeds } from '../evaluation/synthetic-feeds.ts';
import { cloneModel } from '../formats/onnx/clone-model.ts';
import { writeModel } from '../formats/onnx/write-model.ts';
import { inferShapes } from '../ir/infer-shapes.ts';
import type { Model } from '../ir/model.ts';
import { describeNetwork } from '../latency/describe-network.ts';
import { referenceNetwork, referenceNetworkNames } from '../latency/reference-networks.ts';
import { insertQdq } from '../passes/quantize/insert-qdq.ts';
import { placeQuantization } from '../passes/quantize/placement.ts';
import { runPasses } from '../passes/run-passes.ts';
import { type Engine, startEngine } from '../runtime/engine.ts';
import type { CostFeatures } from '../targets/cost-features.ts';
import type { Target } from '../targets/target-schema.ts';
import { DataType } from '../tensor/data-type.ts';
import type { CalibratedPrecision } from './calibrate-options.ts';

/** A network to be timed, in one file for each precision. */
export interface ReferenceModel {
  readonly name: string;
  readonly features: CostFeatures;
  readonly paths: Readonly<Partial<Record<CalibratedPrecision, string>>>;
}

/** A network by name; its inputs are float32 of fixed shapes. */
export interface NetworkSource {
  readonly name: string;
  make(): Model;
}

export const referenceNetworks: readonly NetworkSource[] = referenceNetworkNames.map((name) => ({
  name,
  make: () => referenceNetwork(name),
}));

/** Ranges of made-up inputs hardly change after a few of them; that int8 is right is not asked here, only how fast it runs. */
const CALIBRATION_SAMPLES = 4;

/**
 * Writes networks into a folder as they are and as int8 in the form that the target wants, calibrated on made-up inputs with
 * the engine of this host.
 */
export async function writeReferenceModels(
  networks: readonly NetworkSource[],
  precisions: readonly CalibratedPrecision[],
  target: Target,
  folder: string,
  { logger = silentLogger, signal }: { readonly logger?: Logger; readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly ReferenceModel[]> {
  const engine = precisions.includes('int8') ? await startEngine({ logger }) : undefined;
  try {
    const models: ReferenceModel[] = [];
    for (const { name, make } of networks) {
      signal?.throwIfAborted();
      const model = make();
      const paths: Partial<Record<CalibratedPrecision, string>> = {};
      for (const precision of precisions) {
        const path = join(folder, `${name}-${precision}.onnx`);
        writeModel(precision === 'fp32' ? model : await int8Twin(model, target, engine!, signal), path);
        paths[precision] = path;
      }
      models.push({ name, features: describeNetwork(model).features, paths });
    }
    return models;
  } finally {
    await engine?.close();
  }
}

async function int8Twin(
  model: Model,
  { quantization, arithmetic }: Target,
  engine: Engine,
  signal: AbortSignal | undefined,
): Promise<Model> {
  const { activationType, activationSymmetric } = quantization;
  const twin = cloneModel(model);
  inferShapes(twin);
  const placement = placeQuantization(twin, {
    nodesToExclude: [],
    quantizeAttention: false,
    absorbActivations: !activationSymmetric,
  });
  const ranges = placement.quantizedValues.filter((value) => value.tensor === undefined).map(({ name }) => name);
  const table = await collectStatistics(
    twin,
    madeUpSamples(twin),
    { ranges, rangeSource: 'extremes', channelMeans: new Map() },
    { engine, threads: 1, logger: silentLogger, signal },
  );
  const pass = insertQdq(table, {
    biasCorrection: false,
    activationType,
    activationSymmetric,
    saturating: arithmetic === 'saturating-u8s8',
  });
  await runPasses(twin, [pass], { logger: silentLogger, ...(signal === undefined ? {} : { signal }) });
  return twin;
}

function madeUpSamples(model: Model, first = 1, count = CALIBRATION_SAMPLES): Dataset {
  const inputs = model.graph.inputs
    .filter(({ tensor }) => tensor === undefined)
    .map(({ name, shape }) => ({ name, dataType: DataType.float32, shape: shape as number[] }));
  return {
    count,
    labels: undefined,
    source: 'made-up inputs',
    preprocessDescription: '',
    preprocess: undefined,
    preprocessAssumed: false,
    feed: async (index) => syntheticFeeds(inputs, first + index),
    contentHash: async (index) => String(first + index),
    subset: (indices) => madeUpSamples(model, first + (indices[0] ?? 0), indices.length),
  };
}

import { collectStatistics } from '../../../src/calibration/collect-statistics.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { cloneModel } from '../../../src/formats/onnx/clone-model.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import { inferShapes } from '../../../src/ir/infer-shapes.ts';
import type { Model } from '../../../src/ir/model.ts';
import { insertQdq } from '../../../src/passes/quantize/insert-qdq.ts';
import { type InsertQdqOptions, placementOptions } from '../../../src/passes/quantize/insert-qdq-options.ts';
import { placeQuantization } from '../../../src/passes/quantize/placement.ts';
import { type PassRun, runPasses } from '../../../src/passes/run-passes.ts';
import type { CalibrationTable } from '../../../src/quantization/calibration-table.ts';
import { needsHistogram } from '../../../src/quantization/choose-range.ts';
import type { Engine } from '../../../src/runtime/engine.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import type { Feeds, NdArray } from '../../../src/tensor/nd-array.ts';
import type { GraphBuilder } from '../optimize/graph-builder.ts';

export interface QuantizeCase {
  readonly build: () => GraphBuilder;
  readonly options?: InsertQdqOptions;
  /** Operators of the graph that the engine makes of the quantized model, those that only move elements left out. */
  readonly kernels: Readonly<Record<string, number>>;
}

/** By name, which is that of the golden file too. */
export type QuantizeCases = Readonly<Record<string, QuantizeCase>>;

/** Seeded numbers in [0, 1), the same on every host, unrelated between seeds (the generator mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Feeds of noise around zero (sums of three uniform numbers) or small integers; symbolic dimensions get `size`. */
export function noiseFeeds(model: Model, seed: number, size = 2): Feeds {
  const random = randomNumbers(seed);
  const feeds: Record<string, NdArray> = {};
  for (const { name, shape, elemType, tensor } of model.graph.inputs) {
    if (tensor !== undefined) continue;
    const dims = shape!.map((dim) => (typeof dim === 'number' ? dim : size));
    const count = dims.reduce((product, dim) => product * dim, 1);
    if (elemType === DataType.int64) {
      const data = BigInt64Array.from({ length: count }, () => BigInt(Math.floor(random() * 64)));
      feeds[name] = { dataType: elemType, dims, data };
    } else if (elemType === DataType.bool) {
      feeds[name] = { dataType: elemType, dims, data: new Uint8Array(count).fill(1) };
    } else {
      const data = Float32Array.from({ length: count }, () => random() + random() + random() - 1.5);
      feeds[name] = { dataType: DataType.float32, dims, data };
    }
  }
  return feeds;
}

/** Samples that are in memory. */
export function datasetOf(samples: readonly Feeds[]): Dataset {
  return {
    count: samples.length,
    labels: undefined,
    source: 'memory',
    preprocessDescription: '',
    preprocess: undefined,
    preprocessAssumed: false,
    feed: async (index) => samples[index]!,
    contentHash: async (index) => String(index),
    subset: (indices) => datasetOf(indices.map((index) => samples[index]!)),
  };
}

/** The statistics that `insertQdq` with these options needs, measured on the samples. */
export function calibrate(
  model: Model,
  engine: Engine,
  samples: readonly Feeds[],
  options: InsertQdqOptions = {},
): Promise<CalibrationTable> {
  inferShapes(model);
  const placement = placeQuantization(model, placementOptions(options));
  const channelMeans = new Map<string, number>();
  for (const [node, role] of placement.roles) {
    if (role === 'weighted') channelMeans.set(node.input(0)!.name, node.is('Conv') ? 1 : -1);
  }
  const needs = {
    ranges: placement.quantizedValues.filter((value) => value.tensor === undefined).map((value) => value.name),
    rangeSource: needsHistogram(options.calibrationMethod ?? 'min-max')
      ? ('histogram' as const)
      : ('extremes' as const),
    channelMeans,
  };
  return collectStatistics(model, datasetOf(samples), needs, { engine, threads: 1, logger: silentLogger });
}

/**
 * The same statistics on a coarse grid, ranges widened: engines differ in the last bits from host to host, and what is
 * compared with stored text must not.
 */
export function onGrid(table: CalibrationTable): CalibrationTable {
  const fine = 64;
  return {
    sampleCount: table.sampleCount,
    activations: new Map(
      Array.from(table.activations, ([name, { min, max }]) => [
        name,
        { min: Math.floor(min * fine) / fine, max: Math.ceil(max * fine) / fine },
      ]),
    ),
    channelMeans: new Map(
      Array.from(table.channelMeans, ([name, means]) => [name, means.map((mean) => Math.round(mean * 256) / 256)]),
    ),
  };
}

/** A quantized copy of the model. */
export async function quantized(
  model: Model,
  table: CalibrationTable,
  options: InsertQdqOptions = {},
): Promise<{ model: Model; run: PassRun }> {
  const copy = cloneModel(model);
  inferShapes(copy);
  const [run] = await runPasses(copy, [insertQdq(table, options)], { logger: silentLogger });
  return { model: copy, run: run! };
}

export function bytesOf(model: Model): Uint8Array {
  return Buffer.concat(encodeModel(model).pieces);
}

/** 10·log₁₀(Σ r² / Σ (r - c)²), in dB. */
export function sqnrDb(reference: ArrayLike<number>, candidate: ArrayLike<number>): number {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < reference.length; i++) {
    signal += reference[i]! ** 2;
    noise += (reference[i]! - candidate[i]!) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

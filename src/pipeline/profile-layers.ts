import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloneModel } from '../formats/onnx/clone-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import type { Model } from '../ir/model.ts';
import type { Engine } from '../runtime/engine.ts';
import type { ProfileRecord } from '../runtime/profile.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import type { LayerTimes } from './plan-mixed.ts';
import { benchSession } from './try-model.ts';

export interface ProfileLayersOptions {
  readonly engine: Engine;
  readonly threads: number;
  readonly feeds: Feeds;
  /** For the models that are profiled. */
  readonly folder: string;
  /** Of one run, about. */
  readonly typicalMs: number;
  readonly signal: AbortSignal | undefined;
}

const PROFILE_MS = 300;
const MAX_RUNS = 50;
const MAX_EVENTS = 100_000;
/** Where no node of the profile converts: per element, and for a node at all. */
const CONVERSION_MS_PER_ELEMENT = 5e-7;
const NODE_MS = 0.003;

/**
 * Times of the layers in both forms of a model, from the engine's profile. A layer is a node with weights and what follows
 * it up to the next one. Undefined where the layers cannot be found in both.
 * @param names of the nodes with weights, in the order of the graph.
 */
export async function profileLayers(
  { float, int8 }: { readonly float: Model; readonly int8: Model },
  names: readonly string[],
  options: ProfileLayersOptions,
): Promise<readonly LayerTimes[] | undefined> {
  const floatProfile = await profile(float, names, join(options.folder, 'profiled-float.onnx'), options);
  const int8Profile = await profile(int8, names, join(options.folder, 'profiled-int8.onnx'), options);
  if (floatProfile === undefined || int8Profile === undefined) return undefined;
  const perElementMs = conversionMsPerElement(int8Profile.records);
  return names.map((name, i) => ({
    name,
    int8Ms: int8Profile.layerMs[i]!,
    floatMs: floatProfile.layerMs[i]!,
    borderMs: NODE_MS + perElementMs * (i === 0 ? 0 : floatProfile.outputElements[i - 1]!),
  }));
}

interface Profile {
  readonly records: readonly (ProfileRecord & { readonly runMs: number })[];
  readonly layerMs: readonly number[];
  /** Of the last node of each layer. */
  readonly outputElements: readonly number[];
}

async function profile(
  model: Model,
  names: readonly string[],
  path: string,
  { engine, threads, feeds, typicalMs, signal }: ProfileLayersOptions,
): Promise<Profile | undefined> {
  const marked = cloneModel(model);
  if (markLayers(marked, names) < names.length) return undefined;
  writeFileSync(path, Buffer.concat(encodeModel(marked).pieces));
  const label = 'the profiled model';
  const session = await engine.load(path, { ...benchSession(threads), profile: true, label, temporary: true });
  const fitting = Math.min(PROFILE_MS / typicalMs, MAX_EVENTS / Math.max(1, marked.graph.nodeCount));
  const turnRuns = Math.max(3, Math.min(MAX_RUNS, Math.floor(fitting)));
  // The warm-up and the run that opens a turn are recorded as well.
  const schedule = { rounds: 1, minRounds: 1, warmup: 1, turnMs: 1e9, maxRunsPerTurn: turnRuns, signal };
  await engine.measureLatency([{ label, session, feeds }], schedule);
  const records = (await session.endProfiling()).map((record) => ({
    ...record,
    runMs: (record.medianMs * record.runs) / (turnRuns + 2),
  }));
  await session.release();
  const layerMs = names.map(() => 0);
  const outputElements = names.map(() => 0);
  let layer = 0;
  for (const record of records) {
    layer = layerOf(record.name) ?? layer;
    layerMs[layer]! += record.runMs;
    outputElements[layer] = elementsOf(record);
  }
  return { records, layerMs, outputElements };
}

/** Numbers nodes and their outputs by layer: the engine's nodes bear one or the other name. Returns how many layers it met. */
function markLayers({ graph }: Model, names: readonly string[]): number {
  const layers = new Map(names.map((name, i) => [name, i]));
  let current = 0;
  let met = 0;
  let count = 0;
  for (const node of graph.nodes()) {
    const layer = layers.get(node.name || node.output.name);
    if (layer !== undefined) {
      current = layer;
      met++;
    }
    const number = count++;
    node.name = `layer${current}n${number}`;
    node.outputs.forEach((output, i) => {
      if (output.name !== '' && !graph.isOutput(output)) output.name = `layer${current}v${number}.${i}`;
    });
  }
  return met;
}

function layerOf(name: string): number | undefined {
  const found = /layer(\d+)[nv]\d/.exec(name)?.[1];
  return found === undefined ? undefined : Number(found);
}

function elementsOf({ outputTypeShapes }: ProfileRecord): number {
  const [shape = []] = Object.values(outputTypeShapes[0] ?? {});
  return shape.reduce((product, size) => product * size, 1);
}

function conversionMsPerElement(records: Profile['records']): number {
  const conversions = records.filter(({ opType }) => opType === 'QuantizeLinear' || opType === 'DequantizeLinear');
  const elements = conversions.reduce((sum, record) => sum + elementsOf(record), 0);
  const ms = conversions.reduce((sum, { runMs }) => sum + Math.max(0, runMs - NODE_MS), 0);
  return elements === 0 ? CONVERSION_MS_PER_ELEMENT : ms / elements;
}

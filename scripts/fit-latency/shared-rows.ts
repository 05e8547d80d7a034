// Reads the published measurements that lie beside the project. They are read where they are and never copied.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { featureVector, type LayerCost, type LayerKind, sumFeatures } from '../../src/latency/layer-cost.ts';

export const sharedFolder = fileURLToPath(new URL('../../../shared/latency/', import.meta.url));
export const sharedAvailable = existsSync(join(sharedFolder, 'measurements.jsonl'));

/** A network with attention: kept out of every fit, so that it shows what the model does outside its evidence. */
export const OUTSIDE = 'vision_transformer';

export interface Network {
  readonly name: string;
  readonly layers: readonly LayerCost[];
  /** In the order of `costFeatures`. */
  readonly features: readonly number[];
}

export interface SharedLayer {
  readonly type: string;
  readonly kind: string;
  readonly macs: number;
  readonly weights: number;
  readonly in_elems: number;
  readonly out_elems: number;
  readonly k?: number;
  readonly s?: number;
  readonly cin?: number;
  readonly cout?: number;
  readonly oh?: number;
  readonly ow?: number;
  readonly g?: number;
}

interface Row {
  readonly device: string;
  readonly runtime: string | null;
  readonly runtime_version: string | null;
  readonly precision: string | null;
  readonly threads: number | null;
  readonly power_mode: string | null;
  readonly os_bits: number | null;
  readonly network: string;
  readonly latency_ms: number;
  readonly latency_min_ms?: number | null;
  readonly historical: boolean;
  readonly run?: string | null;
  readonly source: string;
}

/** One benchmark run of one precision. */
export interface Run {
  readonly key: string;
  readonly device: string;
  readonly version: string;
  readonly precision: 'fp32' | 'fp16' | 'int8';
  readonly threads: number;
  readonly cores: 'all' | 'little' | 'big';
  readonly osBits: number | null;
  readonly source: string;
  readonly rows: readonly { readonly network: string; readonly latencyMs: number }[];
}

const EXPONENTIAL = new Set(['Swish', 'Softmax', 'GELU', 'Sigmoid']);
/** Concatenations, slices, shuffles and their like; boxes of detectors, which are gathered from all over. */
const MOVES = new Set(['move', 'other']);

export function toLayerCost(layer: SharedLayer): LayerCost {
  const group = layer.g ?? 1;
  const size = {
    macs: layer.macs,
    weights: layer.weights,
    inputElements: layer.in_elems,
    outputElements: layer.out_elems,
    ...(layer.cin === undefined ? {} : { inputChannels: layer.cin / group, outputChannels: layer.cout! / group }),
  };
  return { ...size, ...kindOf(layer) };
}

function kindOf({ kind, type, k, s, oh, ow }: SharedLayer): Pick<LayerCost, 'kind' | 'height' | 'width'> {
  const winograd = { kind: 'conv3x3' as LayerKind, height: oh, width: ow };
  switch (kind) {
    case 'conv1x1':
    case 'gemm':
      return { kind: 'conv1x1' };
    case 'conv3x3s1':
      return winograd;
    case 'gconv':
      return k === 1 ? { kind: 'conv1x1' } : k === 3 && s === 1 ? winograd : { kind: 'conv-other' };
    case 'convkxk':
      return { kind: 'conv-other' };
    case 'dw':
      return { kind: 'depthwise' };
    case 'fc':
      return { kind: 'fully-connected' };
    default:
      return { kind: EXPONENTIAL.has(type) ? 'exponential' : MOVES.has(kind) ? 'move' : 'pointwise' };
  }
}

export function readNetworks(path = join(sharedFolder, 'networks.json')): ReadonlyMap<string, Network> {
  const parsed = JSON.parse(readFileSync(path, 'utf8')) as Record<string, { layers: SharedLayer[] }>;
  return new Map(
    Object.entries(parsed).map(([name, network]) => {
      const layers = network.layers.map(toLayerCost);
      return [name, { name, layers, features: featureVector(sumFeatures(layers)) }];
    }),
  );
}

const CORES = { 0: 'all', 1: 'little', 2: 'big' } as const;

/**
 * The runs of ncnn's benchmark whose rows say everything a profile needs: version, precision, threads, minimum over the
 * loops. Rows that a newer version replaced are left out, and so are networks without a description.
 */
export function readRuns(
  networks: ReadonlyMap<string, Network>,
  path = join(sharedFolder, 'measurements.jsonl'),
): readonly Run[] {
  const runs = new Map<string, Run & { rows: { network: string; latencyMs: number }[] }>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line.trim() === '') continue;
    const row = JSON.parse(line) as Row;
    const { precision, threads } = row;
    if (row.runtime !== 'ncnn' || row.historical || !row.run || !networks.has(row.network)) continue;
    if (row.runtime_version === null || threads === null || !row.latency_min_ms) continue;
    if (precision !== 'fp32' && precision !== 'fp16' && precision !== 'int8') continue;
    const key = `${row.run} ${precision}`;
    const mode = Number(/powersave=([012])/.exec(row.power_mode ?? '')?.[1] ?? 0) as 0 | 1 | 2;
    const run = runs.get(key) ?? {
      key,
      device: row.device,
      version: row.runtime_version.replace(/^ncnn@/, ''),
      precision,
      threads,
      cores: CORES[mode],
      osBits: row.os_bits,
      source: row.source.replace(/#.*$/, `#L${row.run.split('@')[1]}`),
      rows: [],
    };
    run.rows.push({ network: row.network, latencyMs: row.latency_min_ms });
    runs.set(key, run);
  }
  return [...runs.values()];
}

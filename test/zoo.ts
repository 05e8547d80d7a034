import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Dataset, type InputSpec, openDataset, type Preprocess, spread } from '../src/data/dataset.ts';
import { DataType, type DataTypeName } from '../src/tensor/data-type.ts';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'shared', 'zoo');
const manifestPath = join(folder, 'manifest.json');

/** True where the trained models and their data lie beside the project; tests that need them are skipped elsewhere. */
export const zooAvailable = existsSync(manifestPath);

export type ZooPart = 'calibration' | 'evaluation';

interface ZooSet {
  readonly x: string;
  readonly y: string;
  readonly start: number;
  readonly stop: number;
  readonly count: number;
}

/** One model of the manifest. */
export interface ZooEntry {
  readonly name: string;
  readonly model: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly classes: number;
  readonly variants?: readonly { readonly model: string }[];
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: DataTypeName;
    readonly shape: (number | string)[];
  }[];
  readonly output: { readonly name: string; readonly kind: 'logits' | 'probabilities' };
  readonly preprocess: {
    readonly source: 'jpeg' | 'npy' | 'npz';
    readonly divide: number;
    readonly mean: number[];
    readonly std: number[];
    readonly layout: 'NCHW' | 'NHWC';
  };
  readonly calibration: ZooSet;
  readonly evaluation: ZooSet;
  readonly fp32: { readonly top1: number; readonly correct: number; readonly count: number };
}

/** The models of the manifest; none where the zoo is absent. */
export const zooEntries: readonly ZooEntry[] = zooAvailable
  ? (JSON.parse(readFileSync(manifestPath, 'utf8')) as { models: ZooEntry[] }).models
  : [];

export function zooEntry(name: string): ZooEntry {
  const entry = zooEntries.find((model) => model.name === name);
  if (entry === undefined) throw new Error(`the zoo has no model ${name}`);
  return entry;
}

/** The absolute path of a file that the manifest names. */
export function zooPath(relative: string): string {
  return join(folder, relative);
}

export function zooInputs(entry: ZooEntry): InputSpec[] {
  return entry.inputs.map(({ name, dtype, shape }) => ({ name, dataType: DataType[dtype], shape }));
}

/** The preprocess settings of a model that takes images, as the command line would be given them. */
export function zooPreprocess(entry: ZooEntry): Preprocess | string | undefined {
  if (entry.preprocess.source === 'npz') return undefined;
  const { divide, mean, std, layout } = entry.preprocess;
  return entry.name === 'efficientnet_lite0' ? 'efficientnet-lite' : { divide, mean, std, layout };
}

/** The calibration or evaluation samples of a model, as the manifest chooses them; fewer where `count` asks for fewer. */
export async function zooDataset(entry: ZooEntry, part: ZooPart, count?: number): Promise<Dataset> {
  const set = entry[part];
  const preprocess = zooPreprocess(entry);
  const inside = set.y.includes('#') || set.y.endsWith('labels.csv');
  const dataset = await openDataset(zooPath(set.x), {
    inputs: zooInputs(entry),
    ...(inside ? {} : { labels: zooPath(set.y) }),
    ...(preprocess === undefined ? {} : { preprocess }),
  });
  return dataset.subset(spread(set.start, set.stop, Math.min(count ?? set.count, set.count)));
}

/** A model with its two sets. */
export async function zooModel(name: string, counts: { calibration?: number; evaluation?: number } = {}) {
  const entry = zooEntry(name);
  return {
    entry,
    modelPath: zooPath(entry.model),
    calibration: await zooDataset(entry, 'calibration', counts.calibration),
    evaluation: await zooDataset(entry, 'evaluation', counts.evaluation),
  };
}

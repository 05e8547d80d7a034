import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { DataType } from '../tensor/data-type.ts';
import { type ArraySamples, matchArrays, samplesOfArchive, samplesOfArrays } from './array-samples.ts';
import { dataError, printablePath, reasonOf } from './data-error.ts';
import type { Dataset } from './dataset.ts';
import type { InputSpec } from './input-spec.ts';
import { listSamples, type SampleList } from './list-samples.ts';
import { openNpy, openNpz, type RawArray } from './npy-array.ts';
import { decodeImage } from './pixels.ts';
import { loadPreprocess, type Preprocess } from './preprocess.ts';
import { labelsOf, readLabels } from './read-labels.ts';
import { datasetOver } from './sample-dataset.ts';
import { preprocessUnused, SampleReader } from './sample-reader.ts';
import { statPath } from './stat-path.ts';

export interface OpenDatasetOptions {
  /** The inputs of the model, without its initializers. */
  readonly inputs: readonly InputSpec[];
  /** Path of a labels file (`.npy`, `.csv`, or text with one number a line); it goes before what lies beside the data. */
  readonly labels?: string | undefined;
  /** How 8-bit images become values: settings, the name of a preset, or the path of a JSON file. Assumed where left out. */
  readonly preprocess?: Preprocess | string | Readonly<Record<string, unknown>> | undefined;
}

/** How one kind of source reads: raw arrays (images decoded to height x width x channels) by input name. */
interface RawSource {
  readonly count: number;
  readonly labels: Int32Array | undefined;
  readonly classNames?: readonly string[] | undefined;
  read(index: number): Promise<ReadonlyMap<string, RawArray>>;
  /** The bytes that identify the sample. */
  hash(index: number): Promise<string>;
  /** The file that messages about a sample name, and its index in it where it holds several. */
  origin(index: number): { readonly file: string; readonly index?: number };
}

/** The most bytes of a single image file. */
const maxImageBytes = 2 ** 28;

/**
 * Opens samples for a model: a folder of images, an `.npy` array, an `.npz` archive with one array per input, or a folder of one
 * `.npy` or `.npz` file per sample. The first sample is read at once, so that data of the wrong kind is refused here.
 * @throws EdgepackError `file-not-found`, `data-unreadable`, `data-mismatch`; `usage` or `config` for the preprocess setting.
 */
export async function openDataset(path: string, options: OpenDatasetOptions): Promise<Dataset> {
  const { inputs } = options;
  const preprocess = options.preprocess === undefined ? undefined : loadPreprocess(options.preprocess);
  const source = await openSource(path, options);
  const reader = new SampleReader(inputs, preprocess);
  const feed = async (index: number) => reader.feed(await source.read(index), source.origin(index));
  const first = await source.read(0);
  const plan = [...reader.plansFor(first).values()][0];
  if (plan === undefined && preprocess !== undefined) throw preprocessUnused(preprocess, path, [...first.values()][0]!);
  reader.feed(first, source.origin(0));
  return datasetOver({
    count: source.count,
    labels: source.labels,
    ...(source.classNames === undefined ? {} : { classNames: source.classNames }),
    source: path,
    preprocessDescription: plan?.description ?? 'values go in as they are stored',
    preprocess: plan?.settings,
    preprocessAssumed: plan !== undefined && preprocess === undefined,
    feed,
    contentHash: (index) => source.hash(index),
  });
}

async function openSource(path: string, { inputs, labels }: OpenDatasetOptions): Promise<RawSource> {
  const stats = await statPath(path, 'the data');
  if (inputs.length === 0) {
    throw new EdgepackError('data-mismatch', `${printablePath(path)}: the model has no inputs to feed`, {
      hint: 'no data is needed for it',
    });
  }
  if (stats.isDirectory()) return openFolder(await listSamples(path, labels), inputs, path);
  const extension = extname(path).toLowerCase();
  if (extension === '.npy') {
    const samples = samplesOfArrays(new Map([[onlyInput(inputs, path), await openNpy(path)]]), path);
    const labelsPath = labels ?? (await siblingLabels(path));
    return overArrays(
      samples,
      path,
      labelsPath === undefined ? undefined : await readLabels(labelsPath, samples.count),
    );
  }
  if (extension === '.npz') {
    const { samples, labels: inside } = await samplesOfArchive(inputs, await openNpz(path), path);
    return overArrays(samples, path, labels === undefined ? inside : await readLabels(labels, samples.count));
  }
  throw dataError(
    'data-unreadable',
    path,
    'is neither a folder nor an .npy or .npz file',
    'give a folder of images, an .npy array, or an .npz archive with one array per model input',
  );
}

function overArrays(samples: ArraySamples, file: string, labels: Int32Array | undefined): RawSource {
  return {
    ...samples,
    labels,
    hash: async (index) => hashArrays(await samples.read(index)),
    origin: (index) => ({ file, index }),
  };
}

async function openFolder(list: SampleList, inputs: readonly InputSpec[], folder: string): Promise<RawSource> {
  const { files, kind, classNames } = list;
  const base = { count: files.length, classNames, origin: (index: number) => ({ file: files[index]! }) };
  if (kind === 'image') {
    const input = onlyInput(inputs, folder);
    return {
      ...base,
      labels: list.labels,
      async read(index) {
        const file = files[index]!;
        const { width, height, channels, data } = await decodeImage(await readImageFile(file), file);
        return new Map([[input, { dataType: DataType.uint8, dims: [height, width, channels], bytes: data }]]);
      },
      hash: async (index) =>
        createHash('sha256')
          .update(await readImageFile(files[index]!))
          .digest('hex'),
    };
  }
  const read = async (index: number) => readArrayFile(files[index]!, kind, inputs);
  return {
    ...base,
    labels: list.labels ?? (kind === 'npz' ? await labelsInside(files, inputs) : undefined),
    read,
    hash: async (index) => hashArrays(await read(index)),
  };
}

async function readArrayFile(file: string, kind: 'npy' | 'npz', inputs: readonly InputSpec[]) {
  if (kind === 'npy') return new Map([[onlyInput(inputs, file), await (await openNpy(file)).all()]]);
  const archive = await openNpz(file);
  const sample = new Map<string, RawArray>();
  for (const [input, name] of matchArrays(inputs, archive, file).arrays) {
    sample.set(input, await (await archive.open(name)).all());
  }
  return sample;
}

/** Labels of archives that hold one sample each, with its class in an array of one element; undefined where the first has none. */
async function labelsInside(files: readonly string[], inputs: readonly InputSpec[]): Promise<Int32Array | undefined> {
  const labels = new Int32Array(files.length);
  for (const [index, file] of files.entries()) {
    const archive = await openNpz(file);
    const { labels: name } = matchArrays(inputs, archive, file);
    if (name === undefined && index === 0) return undefined;
    if (name === undefined) {
      throw dataError('data-mismatch', file, 'has no label, though other samples do', 'add the array "label" to it');
    }
    const array = await archive.open(name);
    const flat = { ...array, shape: array.shape.length === 0 ? [1] : array.shape };
    labels[index] = (await labelsOf(flat, 1))[0]!;
  }
  return labels;
}

async function readImageFile(file: string): Promise<Uint8Array> {
  const { size } = await statPath(file, 'the image');
  if (size > maxImageBytes) {
    throw dataError('data-unreadable', file, `is larger than ${maxImageBytes} bytes`, 'store it smaller');
  }
  try {
    return await readFile(file);
  } catch (error) {
    throw dataError('data-unreadable', file, `cannot be read (${reasonOf(error)})`, 'check its permissions', error);
  }
}

function onlyInput(inputs: readonly InputSpec[], file: string): string {
  if (inputs.length === 1) return inputs[0]!.name;
  throw dataError(
    'data-mismatch',
    file,
    `gives one array per sample, but the model has ${inputs.length} inputs: ${inputs.map(({ name }) => name).join(', ')}`,
    'give an .npz archive with one array per input',
  );
}

/** `test_y.npy` beside `test_x.npy`, `y.npy` beside `x.npy`, `<name>-labels.npy` or `<name>_labels.npy` beside `<name>.npy`. */
async function siblingLabels(path: string): Promise<string | undefined> {
  const name = basename(path).slice(0, -4);
  const names = [`${name}-labels.npy`, `${name}_labels.npy`];
  const pair = /^(|.*[_.-])([xX])$/.exec(name);
  if (pair !== null) names.unshift(`${pair[1]}${pair[2] === 'x' ? 'y' : 'Y'}.npy`);
  for (const candidate of names) {
    const sibling = join(dirname(path), candidate);
    const found = await statPath(sibling, 'the labels file').catch(() => undefined);
    if (found?.isFile()) return sibling;
  }
  return undefined;
}

/** SHA-256 over the type, shape and bytes of every array, in the order of the inputs' names. */
function hashArrays(sample: ReadonlyMap<string, RawArray>): string {
  const hash = createHash('sha256');
  for (const [, raw] of [...sample].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${raw.dataType}[${raw.dims.join(',')}]`).update(raw.bytes);
  }
  return hash.digest('hex');
}

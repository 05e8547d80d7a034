import { printable } from '../diagnostics/printable.ts';
import { elementsOf, isInteger } from './cast-elements.ts';
import { dataError } from './data-error.ts';
import type { InputSpec } from './input-spec.ts';
import type { NpyArray, NpzArchive, RawArray } from './npy-array.ts';
import { labelsOf } from './read-labels.ts';

/** Arrays of many samples along their first axis, one for each input of the model. */
export interface ArraySamples {
  readonly count: number;
  /** The arrays of sample `index` by the name of the input. */
  read(index: number): Promise<ReadonlyMap<string, RawArray>>;
}

const labelNames = ['labels', 'y', 'label'];

/** The names of an archive's arrays for each input, and of its labels. @throws EdgepackError `data-mismatch`. */
export function matchArrays(inputs: readonly InputSpec[], archive: NpzArchive, file: string) {
  const inputNames = new Set(inputs.map(({ name }) => name));
  const labels = labelNames.find((name) => archive.names.includes(name) && !inputNames.has(name));
  const others = archive.names.filter((name) => name !== labels && !name.endsWith('_lengths'));
  const arrays = new Map<string, string>();
  for (const { name } of inputs) {
    const only = inputs.length === 1 && others.length === 1 ? others[0] : undefined;
    const array = archive.names.includes(name) ? name : only;
    if (array === undefined) {
      throw dataError(
        'data-mismatch',
        file,
        `holds no array for input '${printable(name)}'; its arrays are: ${printable(archive.names.join(', '), 300) || 'none'}`,
        `save it as numpy.savez(path, **{"${printable(name)}": array, "labels": labels})`,
      );
    }
    arrays.set(name, array);
  }
  return { arrays, labels };
}

/**
 * The samples of an archive of arrays: each input's array by its name, `<input>_lengths` where samples are shorter than the
 * array (they are cut to that length on the first symbolic dimension of the input).
 */
export async function samplesOfArchive(inputs: readonly InputSpec[], archive: NpzArchive, file: string) {
  const { arrays: names, labels: labelName } = matchArrays(inputs, archive, file);
  const arrays = new Map<string, NpyArray>();
  const lengths = new Map<string, { axis: number; sizes: readonly number[] }>();
  for (const input of inputs) {
    arrays.set(input.name, await archive.open(names.get(input.name)!));
    if (archive.names.includes(`${input.name}_lengths`)) {
      lengths.set(
        input.name,
        await readLengths(input, arrays.get(input.name)!, await archive.open(`${input.name}_lengths`)),
      );
    }
  }
  const samples = samplesOfArrays(arrays, file, lengths);
  const labels = labelName === undefined ? undefined : await labelsOf(await archive.open(labelName), samples.count);
  return { samples, labels };
}

/** @throws EdgepackError `data-mismatch` where the arrays differ in their number of samples. */
export function samplesOfArrays(
  arrays: ReadonlyMap<string, NpyArray>,
  file: string,
  lengths: ReadonlyMap<string, { axis: number; sizes: readonly number[] }> = new Map(),
): ArraySamples {
  let count: number | undefined;
  for (const array of arrays.values()) {
    const rows = array.shape[0];
    if (rows === undefined || rows === 0) {
      throw dataError(
        'data-mismatch',
        array.file,
        `holds no samples: its shape is (${array.shape.join(', ')})`,
        'the first axis must be the samples',
      );
    }
    if (count !== undefined && count !== rows) {
      const counts = [...arrays].map(([name, { shape }]) => `${printable(name)} ${shape[0]}`).join(', ');
      throw dataError('data-mismatch', file, `has different numbers of samples: ${counts}`, 'save them together again');
    }
    count = rows;
  }
  return {
    count: count ?? 0,
    async read(index) {
      const sample = new Map<string, RawArray>();
      for (const [name, array] of arrays) {
        const raw = await array.row(index);
        const length = lengths.get(name);
        sample.set(name, length === undefined ? raw : cut(raw, length.axis, length.sizes[index]!, array.itemSizeBytes));
      }
      return sample;
    },
  };
}

async function readLengths(input: InputSpec, array: NpyArray, lengths: NpyArray) {
  const mismatch = (what: string, hint: string) => dataError('data-mismatch', lengths.file, what, hint);
  const offset = input.shape.length - (array.shape.length - 1);
  const axis = input.shape.findIndex((dim, i) => i >= Math.max(1, offset) && typeof dim !== 'number') - offset;
  const size = axis < 0 ? undefined : array.shape[axis + 1];
  if (size === undefined) {
    throw mismatch(
      `gives lengths, but input '${printable(input.name)}' has no symbolic dimension to cut`,
      'leave the lengths out; the input always has the same size',
    );
  }
  if (!isInteger(lengths.dataType) || lengths.shape.length !== 1 || lengths.shape[0] !== array.shape[0]) {
    throw mismatch(
      `has the shape (${lengths.shape.join(', ')}) of ${lengths.descr} for ${array.shape[0]} samples`,
      'store one integer per sample',
    );
  }
  const sizes = Array.from(elementsOf(await lengths.all()) as ArrayLike<number | bigint>, Number);
  const bad = sizes.findIndex((length) => !(length >= 1 && length <= size));
  if (bad >= 0) throw mismatch(`the length of sample ${bad} is ${sizes[bad]}, not 1 to ${size}`, 'fix the lengths');
  return { axis, sizes };
}

/** The first `length` entries along `axis`. */
function cut(raw: RawArray, axis: number, length: number, itemSizeBytes: number): RawArray {
  const size = raw.dims[axis]!;
  if (size === length) return raw;
  const innerBytes = raw.dims.slice(axis + 1).reduce((product, dim) => product * dim, itemSizeBytes);
  const outer = raw.dims.slice(0, axis).reduce((product, dim) => product * dim, 1);
  const bytes = new Uint8Array(outer * length * innerBytes);
  for (let o = 0; o < outer; o++) {
    const start = o * size * innerBytes;
    bytes.set(raw.bytes.subarray(start, start + length * innerBytes), o * length * innerBytes);
  }
  return { dataType: raw.dataType, dims: raw.dims.with(axis, length), bytes };
}

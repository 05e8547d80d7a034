import { printable } from '../diagnostics/printable.ts';
import type { DataType } from '../tensor/data-type.ts';
import { type ByteSource, bytesOfFile, readFromFile } from './byte-source.ts';
import { dataError } from './data-error.ts';
import { maxNpyHeaderBytes, type NpyHeader, parseNpyHeader } from './npy-header.ts';
import { statPath } from './stat-path.ts';
import { readZipDirectory, readZipEntry } from './zip-archive.ts';

/** Elements as they are stored: little-endian bytes, possibly unaligned, C order. */
export interface RawArray {
  readonly dataType: DataType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** An array in an `.npy` file or an `.npz` archive; its elements are read when they are asked for. */
export interface NpyArray extends NpyHeader {
  /** The file, and for archives the array in it, as messages name it. */
  readonly file: string;
  /** Row `index` along the first axis, without that axis. */
  row(index: number): Promise<RawArray>;
  all(): Promise<RawArray>;
}

/** The most bytes that are read at a time: one sample, or one array of labels or lengths. */
const maxReadBytes = 2 ** 30;

/**
 * Opens an `.npy` file. Only its header is read now.
 * @throws EdgepackError `file-not-found`; `data-unreadable` as {@link parseNpyHeader}, and where the file is not as long as its shape needs.
 */
export async function openNpy(path: string): Promise<NpyArray> {
  const { size } = await statPath(path, 'the array');
  const head = await readFromFile(path, 0, Math.min(size, maxNpyHeaderBytes));
  const header = parseNpyHeader(head, path);
  return arrayOver(
    header,
    bytesOfFile(path, header.dataOffset, checkedLength(header, size - header.dataOffset, path)),
    path,
  );
}

/** An `.npz` archive: the names of its arrays without `.npy`, in the order of the archive, and a way to open each. */
export interface NpzArchive {
  readonly names: readonly string[];
  /** @throws EdgepackError `data-unreadable` where there is no such array or it is damaged. */
  open(name: string): Promise<NpyArray>;
}

/**
 * Opens an `.npz` archive. Only its directory is read now.
 * @throws EdgepackError `file-not-found`; `data-unreadable` for a damaged archive.
 */
export async function openNpz(path: string): Promise<NpzArchive> {
  const { size } = await statPath(path, 'the archive');
  const source = bytesOfFile(path, 0, size);
  const entries = new Map(
    [...(await readZipDirectory(source, path))]
      .filter(([name]) => name.endsWith('.npy'))
      .map(([name, entry]) => [name.slice(0, -4), entry]),
  );
  return {
    names: [...entries.keys()],
    async open(name) {
      const entry = entries.get(name);
      const file = `${path}#${name}`;
      if (entry === undefined) {
        throw dataError('data-unreadable', path, `holds no array '${printable(name)}'`, 'add it with numpy.savez');
      }
      const bytes = await readZipEntry(source, entry, path, (offset, length) => bytesOfFile(path, offset, length));
      const header = parseNpyHeader(await bytes.read(0, Math.min(bytes.byteLength, maxNpyHeaderBytes)), file);
      const byteLength = checkedLength(header, bytes.byteLength - header.dataOffset, file);
      const read = (offset: number, length: number) => bytes.read(header.dataOffset + offset, length);
      return arrayOver(header, { byteLength, read }, file);
    },
  };
}

function checkedLength(header: NpyHeader, foundBytes: number, file: string): number {
  const neededBytes = header.shape.reduce((product, dim) => product * dim, header.itemSizeBytes);
  if (foundBytes === neededBytes) return neededBytes;
  throw dataError(
    'data-unreadable',
    file,
    `holds ${foundBytes} bytes of elements where its shape (${header.shape.join(', ')}) of ${header.descr} needs ${neededBytes}`,
    'the file is truncated or holds more than one array; write it again with numpy.save',
  );
}

function arrayOver(header: NpyHeader, elements: ByteSource, file: string): NpyArray {
  const [rows = 1, ...dims] = header.shape;
  const rowBytes = dims.reduce((product, dim) => product * dim, header.itemSizeBytes);
  async function read(offset: number, length: number, shape: readonly number[]): Promise<RawArray> {
    if (length > maxReadBytes) {
      throw dataError(
        'data-unreadable',
        file,
        `has ${length} bytes to be read at a time, more than the ${maxReadBytes} that are`,
        'the first axis must be the samples',
      );
    }
    return { dataType: header.dataType, dims: shape, bytes: await elements.read(offset, length) };
  }
  return {
    ...header,
    file,
    row(index) {
      if (!(index >= 0 && index < rows)) throw new RangeError(`row ${index} of ${rows}`);
      return read(index * rowBytes, rowBytes, dims);
    },
    all: () => read(0, elements.byteLength, header.shape),
  };
}

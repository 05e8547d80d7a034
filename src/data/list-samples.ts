import { readdirSync, statSync } from 'node:fs';
import { basename, extname, isAbsolute, join, normalize, sep } from 'node:path';
import { printable } from '../diagnostics/printable.ts';
import { dataError, reasonOf } from './data-error.ts';
import { checkedLabels, readLabelRows, readLabels } from './read-labels.ts';

/** The samples of a folder, one file each. */
export interface SampleList {
  readonly kind: 'image' | 'npy' | 'npz';
  /** Paths of the files. */
  readonly files: readonly string[];
  readonly labels: Int32Array | undefined;
  readonly classNames: readonly string[] | undefined;
}

const kinds = new Map<string, SampleList['kind']>([
  ...['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff'].map((ext) => [ext, 'image'] as const),
  ['.npy', 'npy'],
  ['.npz', 'npz'],
]);
/** Images of kinds that are not decoded: named rather than silently left out. */
const unreadImages = /\.(bmp|heic|heif|avif|jxl|jp2|svg|ppm|pgm|raw|dng|cr2|nef)$/i;
const maxFiles = 5_000_000;
const maxDepth = 16;

/**
 * Lists the samples of a folder. Labels come from `labelsPath`, else from `labels.csv` in the folder (header with `file` and
 * `label`; it also gives the order), else from class sub-folders: all-numeric names are the class indices, other names are
 * numbered in sorted order. Samples in the folder itself, or in a single sub-folder that is no number, have no labels.
 * @throws EdgepackError `data-unreadable` or `data-mismatch`.
 */
export async function listSamples(folder: string, labelsPath: string | undefined): Promise<SampleList> {
  const csv = labelsPath ?? (isFile(join(folder, 'labels.csv')) ? join(folder, 'labels.csv') : undefined);
  if (csv !== undefined && /\.csv$/i.test(csv)) return listByCsv(folder, csv);
  const { files, folders } = scan(folder, folder, 0);
  if (files.length > 0 && folders.length > 0) {
    throw dataError(
      'data-mismatch',
      folder,
      `has samples both beside and in its sub-folders (${printable(folders[0]!.name)}), so the sub-folders cannot be classes`,
      'move all samples into class sub-folders, or add a labels.csv with the columns file,label',
    );
  }
  const byClass = files.length > 0 ? [{ name: '', files }] : folders.sort((a, b) => (a.name < b.name ? -1 : 1));
  const all = byClass.flatMap((group) => group.files);
  const kind = kindOf(folder, all);
  if (labelsPath !== undefined) {
    return { kind, files: all, labels: await readLabels(labelsPath, all.length), classNames: undefined };
  }
  const numeric = byClass.every(({ name }) => /^\d{1,9}$/.test(name));
  if (!numeric && byClass.length < 2) return { kind, files: all, labels: undefined, classNames: undefined };
  const labels = byClass.flatMap(({ name, files }, i) => files.map(() => (numeric ? Number(name) : i)));
  return {
    kind,
    files: all,
    labels: Int32Array.from(labels),
    classNames: numeric ? undefined : byClass.map(({ name }) => name),
  };
}

async function listByCsv(folder: string, csv: string): Promise<SampleList> {
  const rows = await readLabelRows(csv, ['file', 'label']);
  const files = rows.map(({ fields, line }) => {
    const name = normalize(fields.get('file')!);
    if (isAbsolute(name) || name.split(sep)[0] === '..') {
      throw dataError(
        'data-unreadable',
        csv,
        `line ${line} names a file outside of the folder: ${printable(name)}`,
        'give paths relative to the folder of the samples',
      );
    }
    const path = join(folder, name);
    if (!isFile(path)) {
      throw dataError(
        'data-unreadable',
        csv,
        `line ${line} names ${printable(name)}, which is not in ${printable(folder, 1000)}`,
        'add the file or remove the line',
      );
    }
    return path;
  });
  const labels = checkedLabels(
    rows.map(({ fields }) => fields.get('label')!),
    files.length,
    csv,
  );
  return { kind: kindOf(folder, files), files, labels, classNames: undefined };
}

interface Scan {
  readonly files: string[];
  /** Sub-folders with samples at any depth, with all of these. */
  readonly folders: { readonly name: string; readonly files: string[] }[];
}

function scan(folder: string, root: string, depth: number): Scan {
  if (depth > maxDepth) throw dataError('data-unreadable', root, 'is nested too deeply', 'give a folder of samples');
  const result: Scan = { files: [], folders: [] };
  let entries: ReturnType<typeof readNames>;
  try {
    entries = readNames(folder);
  } catch (error) {
    throw dataError('data-unreadable', folder, `cannot be listed (${reasonOf(error)})`, 'check its permissions', error);
  }
  for (const { name, isFolder } of entries) {
    const path = join(folder, name);
    if (isFolder) {
      const below = scan(path, root, depth + 1);
      const files = [...below.files, ...below.folders.flatMap((inner) => inner.files)];
      if (files.length > 0) result.folders.push({ name, files });
    } else if (kinds.has(extname(name).toLowerCase())) {
      result.files.push(path);
    } else if (unreadImages.test(name)) {
      throw dataError(
        'data-unreadable',
        path,
        `${extname(name).slice(1).toUpperCase()} images are not read`,
        'convert it to PNG, JPEG or WebP, or move it out of the folder',
      );
    }
  }
  if (result.files.length > maxFiles) {
    throw dataError('data-unreadable', root, `holds more than ${maxFiles} files`, 'give a folder of samples');
  }
  return result;
}

function readNames(folder: string): { name: string; isFolder: boolean }[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.') && name !== '__MACOSX')
    .map((entry) => ({
      name: entry.name,
      isFolder: entry.isSymbolicLink()
        ? statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() === true
        : entry.isDirectory(),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function kindOf(folder: string, files: readonly string[]): SampleList['kind'] {
  if (files.length === 0) {
    throw dataError(
      'data-unreadable',
      folder,
      'holds no samples',
      'put JPEG, PNG or WebP images (or one .npy or .npz file per sample) into it, or into one sub-folder per class',
    );
  }
  const kind = kinds.get(extname(files[0]!).toLowerCase());
  const other = files.find((file) => kinds.get(extname(file).toLowerCase()) !== kind);
  if (kind === undefined || other !== undefined) {
    throw dataError(
      'data-mismatch',
      folder,
      `mixes samples of different kinds: ${printable(basename(files[0]!))} and ${printable(basename(other ?? files[0]!))}`,
      'use one kind: images, .npy or .npz; whole sets as arrays are given as the file, not as the folder',
    );
  }
  return kind;
}

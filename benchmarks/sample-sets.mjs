import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openNpy, openNpz } from '../dist/data/npy-array.js';
import { encodeNpy, writeNpz } from '../scripts/write-npz.mjs';

/** Position of sample i in a set of the zoo: start + floor(i * (stop - start) / count). */
export function spread({ start, stop, count }) {
  const span = stop - start;
  return Array.from({ length: Math.min(count, span) }, (_, i) => start + Math.floor((i * span) / count));
}

/**
 * Writes the samples of one set of the zoo's manifest, with their labels, in a form that `compress` reads: a folder of photos
 * with labels.csv, x.npy and y.npy, or an .npz.
 * @returns {Promise<{ path: string, count: number }>} what to give as --calibration or --evaluation
 */
export async function writeSampleSet(zoo, entry, part, count, folder) {
  const set = { ...entry[part], count: Math.min(count ?? Number.POSITIVE_INFINITY, entry[part].count) };
  const rows = spread(set);
  mkdirSync(folder, { recursive: true });
  const { source } = entry.preprocess;
  if (source === 'jpeg') return copyPhotos(join(zoo, set.y), rows, folder);
  if (source === 'npy') {
    writeFileSync(join(folder, 'y.npy'), encodeNpy(await pick(await openNpy(join(zoo, set.y)), rows)));
    writeFileSync(join(folder, 'x.npy'), encodeNpy(await pick(await openNpy(join(zoo, set.x)), rows)));
    return { path: join(folder, 'x.npy'), count: rows.length };
  }
  const archive = await openNpz(join(zoo, set.x));
  const arrays = {};
  for (const { name } of entry.inputs) {
    arrays[name] = await pick(await archive.open(entry.preprocess.inputs[name].array), rows);
  }
  arrays.labels = await pick(await archive.open(set.y.split('#')[1]), rows);
  writeNpz(join(folder, 'samples.npz'), arrays);
  return { path: join(folder, 'samples.npz'), count: rows.length };
}

/** Writes every second sample of an .npz, from `first` on: halves of a file that has all samples of a fixture. */
export async function writeEverySecond(path, first, count, folder) {
  mkdirSync(folder, { recursive: true });
  const archive = await openNpz(path);
  const arrays = {};
  let rows = [];
  for (const name of archive.names) {
    const array = await archive.open(name);
    const half = Math.floor((array.shape[0] - first + 1) / 2);
    rows = Array.from({ length: Math.min(count ?? half, half) }, (_, i) => first + 2 * i);
    arrays[name] = await pick(array, rows);
  }
  writeNpz(join(folder, 'samples.npz'), arrays);
  return { path: join(folder, 'samples.npz'), count: rows.length };
}

/** The manifest's preprocessing as `compress` takes it; undefined for arrays that go in as they are. */
export function preprocessOf({ preprocess }) {
  if (preprocess.source === 'npz') return undefined;
  const { divide, mean, std, layout, crop } = preprocess;
  const color = mean.length === 1 ? 'gray' : preprocess.colour === 'BGR' ? 'bgr' : 'rgb';
  return { color, divide, mean, std, layout, resize: null, crop: crop === null ? null : crop.size };
}

/** Rows of an array, in the order asked for. */
async function pick(array, rows) {
  const parts = [];
  for (const row of rows) parts.push((await array.row(row)).bytes);
  return {
    descr: array.descr ?? numpyType(array),
    shape: [rows.length, ...array.shape.slice(1)],
    bytes: Buffer.concat(parts),
  };
}

function numpyType({ dataType }) {
  const type = { 1: '<f4', 2: '|u1', 3: '|i1', 4: '<u2', 5: '<i2', 6: '<i4', 7: '<i8', 11: '<f8' }[dataType];
  if (type === undefined) throw new Error(`arrays of element type ${dataType} are not copied`);
  return type;
}

function copyPhotos(labelsPath, rows, folder) {
  const [header, ...lines] = readFileSync(labelsPath, 'utf8').trimEnd().split(/\r?\n/);
  const fileColumn = header.split(',').indexOf('file');
  const picked = rows.map((row) => lines[row]);
  for (const line of picked) {
    const file = line.split(',')[fileColumn];
    copyFileSync(join(dirname(labelsPath), file), join(folder, file));
  }
  writeFileSync(join(folder, 'labels.csv'), `${[header, ...picked].join('\n')}\n`);
  return { path: folder, count: rows.length };
}

import { readFile } from 'node:fs/promises';
import { printable } from '../diagnostics/printable.ts';
import { dataTypeName } from '../tensor/data-type.ts';
import { elementsOf, isInteger } from './cast-elements.ts';
import { type CsvRow, csvRows } from './csv-rows.ts';
import { dataError } from './data-error.ts';
import { type NpyArray, openNpy } from './npy-array.ts';
import { statPath } from './stat-path.ts';

const maxTextBytes = 2 ** 28;

/**
 * Reads class labels from an integer `.npy` array, a `.csv` file with a `label` column or a text file with one number a line,
 * in the order of the samples.
 * @throws EdgepackError `data-unreadable`, or `data-mismatch` where there are not `count` labels or one is no class index.
 */
export async function readLabels(path: string, count: number): Promise<Int32Array> {
  if (/\.npy$/i.test(path)) return labelsOf(await openNpy(path), count);
  if (/\.csv$/i.test(path)) {
    const rows = await readLabelRows(path, ['label']);
    return checkedLabels(
      rows.map(({ fields }) => fields.get('label')!),
      count,
      path,
    );
  }
  const lines = (await readText(path)).split(/\r?\n/, maxLines + 1);
  if (lines.length > maxLines) {
    throw dataError('data-unreadable', path, `has more than ${maxLines} lines`, 'give one label per sample');
  }
  while (lines.at(-1)?.trim() === '') lines.pop();
  return checkedLabels(
    lines.map((line) => line.trim()),
    count,
    path,
  );
}

/** More lines are no labels. */
const maxLines = 2 ** 20;

/** The labels in an array of `count` integers. */
export async function labelsOf(array: NpyArray, count: number): Promise<Int32Array> {
  const [rows, ...rest] = array.shape;
  if (rows !== count || rest.some((dim) => dim !== 1)) {
    throw dataError(
      'data-mismatch',
      array.file,
      `has labels of shape (${array.shape.join(', ')}) for ${count} samples`,
      'store one class index per sample, e.g. scores.argmax(1) for one-hot labels',
    );
  }
  if (!isInteger(array.dataType)) {
    throw dataError(
      'data-mismatch',
      array.file,
      `has ${dataTypeName(array.dataType)} labels; class indices are integers`,
      'save them as labels.astype("int64")',
    );
  }
  return checkedLabels([...elementsOf(await array.all())], count, array.file);
}

/** Rows of a labels file, every one of which has the given columns. */
export async function readLabelRows(path: string, needed: readonly string[]): Promise<readonly CsvRow[]> {
  const text = await readText(path);
  let table: ReturnType<typeof csvRows>;
  try {
    table = csvRows(text);
  } catch (error) {
    throw dataError('data-unreadable', path, (error as Error).message, 'write it as comma-separated text', error);
  }
  const missing = needed.find((name) => !table.columns.includes(name));
  if (missing !== undefined) {
    throw dataError(
      'data-unreadable',
      path,
      `has no column '${missing}' (its header is: ${printable(table.columns.join(', '), 200)})`,
      `begin it with a header line: ${needed.join(',')}`,
    );
  }
  return table.rows;
}

/** Checks that there are `count` class indices, and gives them as integers. */
export function checkedLabels(values: readonly (string | number | bigint)[], count: number, file: string): Int32Array {
  if (values.length !== count) {
    throw dataError(
      'data-mismatch',
      file,
      `has ${values.length} labels for ${count} samples`,
      'give one label per sample, in the same order',
    );
  }
  return Int32Array.from(values, (value, index) => {
    const label = typeof value === 'string' && !/^\d{1,10}$/.test(value) ? -1 : Number(value);
    if (label >= 0 && label < 2 ** 31) return label;
    throw dataError(
      'data-mismatch',
      file,
      `the label of sample ${index} is '${printable(String(value), 40)}'`,
      'labels are class indices: integers from 0',
    );
  });
}

async function readText(path: string): Promise<string> {
  const { size } = await statPath(path, 'the labels file');
  if (size > maxTextBytes) {
    throw dataError('data-unreadable', path, `is larger than ${maxTextBytes} bytes`, 'give a file of labels');
  }
  return readFile(path, 'utf8');
}

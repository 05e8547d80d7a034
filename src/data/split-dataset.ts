import { createHash } from 'node:crypto';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printablePath } from './data-error.ts';
import type { Dataset } from './dataset.ts';

/** Samples of the same content, which always go into the same part. */
interface Unit {
  readonly order: string;
  readonly indices: number[];
}

/**
 * Splits a dataset into parts of the given relative sizes, e.g. `[3, 1]`. Every class is spread over the parts in that ratio as
 * far as its samples allow. Samples are ordered by a hash of their content and the seed, so that the split depends neither on
 * names nor on the order of files; equal samples stay together, so that no part has seen a sample of another.
 * @throws EdgepackError `data-mismatch` where a part would stay empty.
 */
export async function splitDataset(
  dataset: Dataset,
  options: { readonly parts: readonly number[]; readonly seed: number },
): Promise<Dataset[]> {
  const { parts, seed } = options;
  const total = parts.reduce((sum, part) => sum + part, 0);
  if (parts.length === 0 || parts.some((part) => !(part > 0)) || !Number.isFinite(total)) {
    throw new RangeError(`parts must be positive numbers, not [${parts.join(', ')}]`);
  }
  const classes = await unitsByClass(dataset, seed);
  const taken = parts.map((): Unit[] => []);
  const filled = parts.map(() => 0);
  let given = 0;
  for (const unit of classes.flat()) {
    // To the part that is furthest behind its share of what has been given so far, this unit included.
    given += unit.indices.length;
    let part = 0;
    let deficit = Number.NEGATIVE_INFINITY;
    parts.forEach((weight, p) => {
      const behind = (weight / total) * given - filled[p]!;
      if (behind > deficit + 1e-9) {
        deficit = behind;
        part = p;
      }
    });
    taken[part]!.push(unit);
    filled[part]! += unit.indices.length;
  }
  if (filled.includes(0)) {
    throw new EdgepackError(
      'data-mismatch',
      `${printablePath(dataset.source)}: ${dataset.count} samples (${classes.flat().length} different) are too few to split into ${parts.length} parts`,
      { hint: 'give more samples', location: { file: dataset.source } },
    );
  }
  return taken.map((units) => dataset.subset(units.sort(byOrder).flatMap((unit) => unit.indices)));
}

/** The different samples by class, in the order of their hashes; classes in the order of their first sample. */
async function unitsByClass(dataset: Dataset, seed: number): Promise<Unit[][]> {
  const units = new Map<string, Unit>();
  await hashAhead(dataset);
  for (let index = 0; index < dataset.count; index++) {
    const content = await dataset.contentHash(index);
    const known = units.get(content);
    if (known !== undefined) known.indices.push(index);
    else {
      const order = createHash('sha256').update(`${seed}:${content}`).digest('hex');
      units.set(content, { order, indices: [index] });
    }
  }
  const classes = new Map<number, Unit[]>();
  for (const unit of [...units.values()].sort(byOrder)) {
    const { labels } = dataset;
    // Equal samples with different labels count with the smallest, which does not depend on the order of files.
    const label = labels === undefined ? 0 : Math.min(...unit.indices.map((index) => labels[index]!));
    const group = classes.get(label);
    if (group === undefined) classes.set(label, [unit]);
    else group.push(unit);
  }
  return [...classes.values()];
}

function byOrder(a: Unit, b: Unit): number {
  return a.order < b.order ? -1 : a.order > b.order ? 1 : 0;
}

/** Samples that are read at once. */
const READ_AT_ONCE = 8;

/** Has the hashes computed, several samples at a time; the dataset keeps them. */
async function hashAhead(dataset: Dataset): Promise<void> {
  let next = 0;
  const reader = async () => {
    while (next < dataset.count) await dataset.contentHash(next++);
  };
  await Promise.all(Array.from({ length: READ_AT_ONCE }, reader));
}

import type { Feeds } from '../tensor/nd-array.ts';
import type { Dataset } from './dataset.ts';

/**
 * The same samples, of which the first that fit into `limitBytes` are read once and kept: for samples that many variants
 * of a model are compared on. A kept sample is the same object each time.
 */
export function keepFeeds(dataset: Dataset, limitBytes: number): Dataset {
  const kept = new Map<number, Promise<Feeds>>();
  let keptBytes = 0;
  const keep = (index: number) => {
    const reading = dataset.feed(index);
    if (keptBytes >= limitBytes) return reading;
    kept.set(index, reading);
    reading.then(
      (feeds) => {
        keptBytes += byteLengthOf(feeds);
        if (keptBytes > limitBytes) kept.delete(index);
      },
      () => kept.delete(index),
    );
    return reading;
  };
  return {
    ...dataset,
    feed: (index) => kept.get(index) ?? keep(index),
    contentHash: (index) => dataset.contentHash(index),
    subset: (indices) => dataset.subset(indices),
  };
}

/** Bytes that the elements of all inputs take. */
export function byteLengthOf(feeds: Feeds): number {
  return Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength, 0);
}

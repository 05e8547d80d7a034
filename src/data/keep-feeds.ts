import type { Feeds } from '../tensor/nd-array.ts';
import { markRecurring } from '../tensor/recurring-feeds.ts';
import type { Dataset } from './dataset.ts';

/** A dataset whose first samples are kept in memory. */
export interface KeptDataset extends Dataset {
  /** Begins to read the samples that will be kept, several at a time. */
  readAhead(): void;
}

/** Samples that are read at once. */
const READ_AT_ONCE = 4;

/**
 * The same samples, of which the first that fit into `limitBytes` are read once and kept: for samples that many variants
 * of a model are compared on. A kept sample is the same object each time, and marked as one that comes again.
 */
export function keepFeeds(dataset: Dataset, limitBytes: number): KeptDataset {
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
        else markRecurring(feeds);
      },
      () => kept.delete(index),
    );
    return reading;
  };
  const feed = (index: number) => kept.get(index) ?? keep(index);
  return {
    ...dataset,
    feed,
    contentHash: (index) => dataset.contentHash(index),
    subset: (indices) => dataset.subset(indices),
    readAhead() {
      let next = 0;
      const reader = async () => {
        while (next < dataset.count && keptBytes < limitBytes) await feed(next++);
      };
      // An error is raised where the sample is used.
      for (let lane = 0; lane < READ_AT_ONCE; lane++) reader().catch(() => {});
    },
  };
}

/** Bytes that the elements of all inputs take. */
export function byteLengthOf(feeds: Feeds): number {
  return Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength, 0);
}

import type { Dataset } from './dataset.ts';

/** What a source of samples says of itself: a {@link Dataset} less what follows from it. */
export type SampleSource = Omit<Dataset, 'subset'>;

/** A dataset over a source of samples, or over the samples at `indices` of it. Content hashes are computed once. */
export function datasetOver(
  source: SampleSource,
  indices?: readonly number[],
  hashes: Promise<string>[] = [],
): Dataset {
  const count = indices?.length ?? source.count;
  const at = (index: number): number => {
    if (!Number.isInteger(index) || index < 0 || index >= count) throw new RangeError(`sample ${index} of ${count}`);
    return indices === undefined ? index : indices[index]!;
  };
  const { labels } = source;
  return {
    count,
    labels: indices === undefined || labels === undefined ? labels : Int32Array.from(indices, (i) => labels[i]!),
    ...(source.classNames === undefined ? {} : { classNames: source.classNames }),
    source: source.source,
    preprocessDescription: source.preprocessDescription,
    preprocess: source.preprocess,
    preprocessAssumed: source.preprocessAssumed,
    feed: async (index) => source.feed(at(index)),
    async contentHash(index) {
      const sample = at(index);
      hashes[sample] ??= source.contentHash(sample);
      return hashes[sample];
    },
    subset: (chosen) => datasetOver(source, chosen.map(at), hashes),
  };
}

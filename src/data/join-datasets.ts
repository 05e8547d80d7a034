import type { Dataset } from './dataset.ts';
import { datasetOver } from './sample-dataset.ts';

/** The samples of two parts of one dataset, first those of the one, then those of the other; each the object that its part gives. */
export function joinDatasets(first: Dataset, second: Dataset): Dataset {
  const of = (index: number): [Dataset, number] =>
    index < first.count ? [first, index] : [second, index - first.count];
  return datasetOver({
    ...first,
    count: first.count + second.count,
    labels: first.labels && second.labels && Int32Array.of(...first.labels, ...second.labels),
    feed(index) {
      const [part, at] = of(index);
      return part.feed(at);
    },
    contentHash(index) {
      const [part, at] = of(index);
      return part.contentHash(at);
    },
  });
}

import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { joinDatasets } from '../../src/data/join-datasets.ts';
import { datasetOver } from '../../src/data/sample-dataset.ts';
import { DataType } from '../../src/tensor/data-type.ts';

function dataset(values: readonly number[], labels?: readonly number[]): Dataset {
  const feeds = values.map((value) => ({
    x: { dataType: DataType.float32, dims: [1], data: Float32Array.of(value) },
  }));
  return datasetOver({
    count: values.length,
    labels: labels && Int32Array.from(labels),
    source: 'made up',
    preprocessDescription: '',
    preprocess: undefined,
    preprocessAssumed: false,
    feed: async (index) => feeds[index]!,
    contentHash: async (index) => `hash ${values[index]}`,
  });
}

describe('joinDatasets', () => {
  it('has the samples, hashes and labels of both, in their order', async () => {
    const [first, second] = [dataset([1, 2], [5, 6]), dataset([3], [7])];
    const joined = joinDatasets(first, second);
    expect(joined.count).toBe(3);
    expect(joined.labels).toEqual(Int32Array.of(5, 6, 7));
    expect(await joined.feed(1)).toBe(await first.feed(1));
    expect(await joined.feed(2)).toBe(await second.feed(0));
    expect(await joined.contentHash(2)).toBe('hash 3');
    const few = joined.subset([2, 0]);
    expect(few.labels).toEqual(Int32Array.of(7, 5));
    expect(await few.feed(0)).toBe(await second.feed(0));
    await expect(joined.feed(3)).rejects.toThrow(/sample 3 of 3/);
  });

  it('has no labels where one part has none', () => {
    expect(joinDatasets(dataset([1], [0]), dataset([2])).labels).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { keepFeeds } from '../../src/data/keep-feeds.ts';
import { DataType } from '../../src/tensor/data-type.ts';

/** Samples of 40 bytes that count how often each is read. */
function countingDataset(count: number) {
  const reads = new Array<number>(count).fill(0);
  const dataset: Dataset = {
    count,
    labels: undefined,
    source: 'made up',
    preprocessDescription: '',
    preprocess: undefined,
    preprocessAssumed: false,
    async feed(index) {
      reads[index]!++;
      return { x: { dataType: DataType.float32, dims: [1, 10], data: new Float32Array(10).fill(index) } };
    },
    contentHash: async (index) => String(index),
    subset: () => dataset,
  };
  return { dataset, reads };
}

describe('keepFeeds', () => {
  it('reads a sample once and gives the same object each time', async () => {
    const { dataset, reads } = countingDataset(3);
    const kept = keepFeeds(dataset, 1000);
    const first = await kept.feed(1);
    expect(await kept.feed(1)).toBe(first);
    expect(first.x!.data[0]).toBe(1);
    expect(reads).toEqual([0, 1, 0]);
  });

  it('keeps no more than fits', async () => {
    const { dataset, reads } = countingDataset(4);
    const kept = keepFeeds(dataset, 100);
    for (let round = 0; round < 2; round++) for (let i = 0; i < 4; i++) await kept.feed(i);
    expect(reads).toEqual([1, 1, 2, 2]);
  });

  it('reads ahead what it will keep', async () => {
    const { dataset, reads } = countingDataset(6);
    const kept = keepFeeds(dataset, 10_000);
    kept.readAhead();
    expect((await kept.feed(5)).x!.data[0]).toBe(5);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(reads).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('reads again what could not be read', async () => {
    const { dataset } = countingDataset(1);
    let attempts = 0;
    const failing: Dataset = {
      ...dataset,
      feed: async (index) => {
        if (attempts++ === 0) throw new Error('gone for a moment');
        return dataset.feed(index);
      },
    };
    const kept = keepFeeds(failing, 1000);
    await expect(kept.feed(0)).rejects.toThrow('gone');
    expect((await kept.feed(0)).x!.data[0]).toBe(0);
  });
});

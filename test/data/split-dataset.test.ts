import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { datasetOver } from '../../src/data/sample-dataset.ts';
import { splitDataset } from '../../src/data/split-dataset.ts';

/** Samples whose content is given; `labels` may be left out. */
function samples(contents: readonly string[], labels?: readonly number[]): Dataset {
  return datasetOver({
    count: contents.length,
    labels: labels && Int32Array.from(labels),
    source: 'samples',
    preprocessDescription: '',
    preprocess: undefined,
    preprocessAssumed: false,
    feed: async () => ({}),
    contentHash: async (index) => contents[index]!,
  });
}

async function contentsOf(dataset: Dataset): Promise<string[]> {
  return Promise.all(Array.from({ length: dataset.count }, (_, i) => dataset.contentHash(i)));
}

const distinct = (count: number) => Array.from({ length: count }, (_, i) => `sample ${i}`);

describe('splitDataset', () => {
  it('gives every sample to one part, in the asked ratio for every class', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(4), { minLength: 12, maxLength: 80 }),
        fc.constantFrom([1, 1], [3, 1], [1, 2, 1]),
        fc.nat(1000),
        async (labels, weights, seed) => {
          const dataset = samples(distinct(labels.length), labels);
          const parts = await splitDataset(dataset, { parts: weights, seed });
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const all = (await Promise.all(parts.map(contentsOf))).flat();
          expect(all.sort()).toEqual(distinct(labels.length).sort());
          for (const [p, part] of parts.entries()) {
            const share = weights[p]! / total;
            expect(Math.abs(part.count - labels.length * share)).toBeLessThanOrEqual(1);
            for (const label of new Set(labels)) {
              const inPart = part.labels!.filter((other) => other === label).length;
              const inAll = labels.filter((other) => other === label).length;
              expect(Math.abs(inPart - inAll * share)).toBeLessThanOrEqual(2);
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('spreads classes of a single sample over the parts', async () => {
    const [a, b] = await splitDataset(
      samples(
        distinct(400),
        distinct(400).map((_, i) => i),
      ),
      { parts: [1, 1], seed: 0 },
    );
    expect([a!.count, b!.count]).toEqual([200, 200]);
    const odd = a!.labels!.filter((label) => label % 2 === 1).length;
    expect(odd).toBeGreaterThan(70);
    expect(odd).toBeLessThan(130);
  });

  it('depends on contents and seed only, not on the order of the samples', async () => {
    const contents = distinct(60);
    const labels = contents.map((_, i) => i % 3);
    const order = contents.map((_, i) => (i * 17) % 60);
    const split = async (dataset: Dataset, seed: number) =>
      Promise.all((await splitDataset(dataset, { parts: [3, 1], seed })).map(contentsOf));
    const first = await split(samples(contents, labels), 5);
    const other = await split(
      samples(
        order.map((i) => contents[i]!),
        order.map((i) => labels[i]!),
      ),
      5,
    );
    expect(other).toEqual(first);
    expect(await split(samples(contents, labels), 6)).not.toEqual(first);
  });

  it('never puts equal samples into different parts', async () => {
    const contents = distinct(40).map((_, i) => `content ${i % 15}`);
    const parts = await splitDataset(samples(contents), { parts: [1, 1], seed: 3 });
    const [a, b] = await Promise.all(parts.map(contentsOf));
    expect(a!.filter((content) => b!.includes(content))).toEqual([]);
    expect(a!.length + b!.length).toBe(40);
    expect(Math.abs(a!.length - b!.length)).toBeLessThanOrEqual(3);
  });

  it('refuses to leave a part empty', async () => {
    for (const contents of [['a'], ['a', 'a', 'a']]) {
      await expect(splitDataset(samples(contents), { parts: [1, 1], seed: 0 })).rejects.toMatchObject({
        code: 'data-mismatch',
        message: expect.stringMatching(/too few to split into 2 parts/),
      });
    }
    await expect(splitDataset(samples(['a', 'b']), { parts: [1, 0], seed: 0 })).rejects.toThrow(RangeError);
  });
});

describe('a subset', () => {
  it('keeps labels and contents in the order that was asked for, and refuses what is not there', async () => {
    const dataset = samples(distinct(5), [5, 6, 7, 8, 9]).subset([4, 0, 2]).subset([2, 0]);
    expect(dataset.count).toBe(2);
    expect(dataset.labels).toEqual(Int32Array.of(7, 9));
    expect(await contentsOf(dataset)).toEqual(['sample 2', 'sample 4']);
    expect(() => dataset.subset([2])).toThrow(RangeError);
    await expect(dataset.feed(-1)).rejects.toThrow(RangeError);
  });
});

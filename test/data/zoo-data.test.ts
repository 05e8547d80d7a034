import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { splitDataset } from '../../src/data/dataset.ts';
import { zooAvailable, zooDataset, zooEntry } from '../zoo.ts';

/** SHA-256 over every feed and label of a set, computed with NumPy and Pillow by the zoo's own reader. */
const sets = [
  ['efficientnet_lite0', 'calibration', 100, '4b676805436fd87d734cad8e47d258625d0e57c83074f128198d5028a0b8de15'],
  ['efficientnet_lite0', 'evaluation', 400, 'e93784fce658517d4c9db5b00a3ab7f606717ee397aff36563f62b7720324225'],
  ['resnet8_cifar10', 'calibration', 512, '9875de423e66fac94b47dcb8684bf650054764dc4ab6e6bd0978aeff09010c88'],
  ['resnet8_cifar10', 'evaluation', 846, '9b213c12d2512be43c14027b81aac5db49c6b2d8ecd34aa79c85e05e223c09ab'],
  ['resnet20_cifar10', 'calibration', 512, 'ab1f1bde457976522a6156ef28801c0be3d74f4597345b0619f3d2ea2ec50199'],
  ['resnet20_cifar10', 'evaluation', 846, '293c9d94c25d18fe6d37453149f532c739a60707cef9ee165dbbe9b71ec8adff'],
  ['mnist_cntk', 'calibration', 1000, 'fb2e8edd0f895dc105115a8ec3495cb9ed550ca651f9ea739aa2411f8a398eda'],
  ['mnist_cntk', 'evaluation', 9000, '12fe333f2248184f872697e1c14f84fca7dab4d24a644a790b30bebb2a6b2505'],
  ['minilm_banking77', 'calibration', 256, '99c777554b28e57293b3c28279fa13c0d0d10c1ed0cac8da9b0b8a3911ae1fe0'],
  ['minilm_banking77', 'evaluation', 3080, '41bf488801471e5fe1aaa0f0b5cd02c204af9eb6b37bb48337380672444725e5'],
] as const;

describe.skipIf(!zooAvailable)('the zoo', () => {
  it.each(sets)(
    '%s, %s: every one of %i feeds is bit for bit what NumPy and Pillow give',
    async (name, part, count, digest) => {
      const dataset = await zooDataset(zooEntry(name), part);
      expect(dataset.count).toBe(count);
      const hash = createHash('sha256');
      const label = Buffer.alloc(4);
      for (let i = 0; i < count; i++) {
        const feeds = await dataset.feed(i);
        for (const { name: input } of zooEntry(name).inputs) {
          const { data } = feeds[input]!;
          hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        }
        label.writeUInt32LE(dataset.labels![i]!);
        hash.update(label);
      }
      expect(hash.digest('hex')).toBe(digest);
    },
  );

  it('splits its 400 photos, one a class, into equal halves by content', async () => {
    const dataset = await zooDataset(zooEntry('efficientnet_lite0'), 'evaluation');
    const [a, b] = await splitDataset(dataset, { parts: [1, 1], seed: 0 });
    expect([a!.count, b!.count]).toEqual([200, 200]);
    expect(new Set([...a!.labels!, ...b!.labels!]).size).toBe(400);
  });
});

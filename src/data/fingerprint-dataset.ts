import { createHash } from 'node:crypto';
import type { Dataset } from './dataset.ts';

/**
 * SHA-256 (hexadecimal) of everything that decides the feeds of a dataset: the content of its samples in their order, and the
 * preprocessing. The basis of caches; labels and paths are not part of it.
 */
export async function fingerprintDataset(dataset: Dataset): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(dataset.preprocess ?? null));
  for (let index = 0; index < dataset.count; index++) hash.update(await dataset.contentHash(index));
  return hash.digest('hex');
}

/** {@link fingerprintDataset} with the labels: what decides which answers are right. */
export async function fingerprintLabelled(dataset: Dataset): Promise<string> {
  const hash = createHash('sha256').update(await fingerprintDataset(dataset));
  return hash.update(JSON.stringify(dataset.labels === undefined ? null : Array.from(dataset.labels))).digest('hex');
}

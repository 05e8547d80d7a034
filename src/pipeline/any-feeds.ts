import { syntheticFeeds } from '../evaluation/synthetic-feeds.ts';
import type { Runnable } from '../runtime/session.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import type { RunSamples } from './open-samples.ts';

/** One sample, or made-up feeds where there are none: to time a model, or to see whether it runs at all. */
export async function anyFeeds(session: Runnable, samples: RunSamples, seed: number): Promise<Feeds> {
  return (await (samples.evaluation ?? samples.selection)?.feed(0)) ?? syntheticFeeds(session.inputs, seed);
}

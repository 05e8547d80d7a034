import type { Feeds } from '../tensor/nd-array.ts';
import type { Dataset } from './dataset.ts';

/** The samples in order, each ready to run; while one is worked on, the next is being read. */
export async function* feedsOf(samples: Dataset, signal?: AbortSignal): AsyncGenerator<Feeds, void, undefined> {
  if (samples.count === 0) return;
  let next = samples.feed(0);
  for (let i = 0; i < samples.count; i++) {
    signal?.throwIfAborted();
    const feeds = await next;
    if (i + 1 < samples.count) {
      next = samples.feed(i + 1);
      // An error is raised when its turn has come.
      next.catch(() => {});
    }
    yield feeds;
  }
}

import type { Feeds } from './nd-array.ts';

const recurring = new WeakSet<Feeds>();

/** Says that these feeds, the very object, will be run again and never changed: who runs them may keep a copy. */
export function markRecurring(feeds: Feeds): void {
  recurring.add(feeds);
}

export function isRecurring(feeds: Feeds): boolean {
  return recurring.has(feeds);
}

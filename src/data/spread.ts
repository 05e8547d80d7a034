/**
 * Evenly spaced indices: `start + floor(i * (stop - start) / count)` for i in 0..count-1.
 * A `count` above `stop - start` gives every index once.
 */
export function spread(start: number, stop: number, count: number): number[] {
  const length = Math.max(0, stop - start);
  const taken = Math.max(0, Math.min(count, length));
  return Array.from({ length: taken }, (_, i) => start + Math.floor((i * length) / taken));
}

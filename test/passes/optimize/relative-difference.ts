import type { NdArray } from '../../../src/tensor/nd-array.ts';

/** Largest difference of two arrays relative to the largest magnitude of the first; infinite where NaNs or types differ. */
export function relativeDifference(expected: NdArray, actual: NdArray): number {
  if (expected.dataType !== actual.dataType || expected.dims.join() !== actual.dims.join())
    return Number.POSITIVE_INFINITY;
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [Number(expected.data[i]), Number(actual.data[i])];
    if (Object.is(a, b) || a === b) {
      if (Number.isFinite(a)) largest = Math.max(largest, Math.abs(a));
      continue;
    }
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(a));
    difference = Math.max(difference, Math.abs(a - b));
  }
  return difference === 0 ? 0 : difference / Math.max(largest, 1e-6);
}

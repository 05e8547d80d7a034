/**
 * Magnitudes as integers of the same order: the bits of float32 without the sign. What is not a number orders above
 * everything, so that it is never taken for small.
 */
export function magnitudeBits(weights: Float32Array): Uint32Array {
  const source = new Uint32Array(weights.buffer, weights.byteOffset, weights.length);
  const bits = new Uint32Array(weights.length);
  for (let i = 0; i < bits.length; i++) bits[i] = source[i]! & 0x7fffffff;
  return bits;
}

/**
 * The mask (1: goes) of the `count` weights of the least magnitude; among equal ones the first go. Two counting passes,
 * no sorting: O(n).
 */
export function smallestMask(weights: Float32Array, count: number): Uint8Array {
  const mask = new Uint8Array(weights.length);
  if (count <= 0) return mask;
  if (count >= weights.length) return mask.fill(1);
  const bits = magnitudeBits(weights);
  const high = new Uint32Array(1 << 16);
  for (let i = 0; i < bits.length; i++) high[bits[i]! >>> 16]!++;
  const upper = locate(high, count);
  const low = new Uint32Array(1 << 16);
  for (let i = 0; i < bits.length; i++) if (bits[i]! >>> 16 === upper.bucket) low[bits[i]! & 0xffff]!++;
  const lower = locate(low, count - upper.before);
  const cutoff = upper.bucket * 65_536 + lower.bucket;
  let atCutoff = count - upper.before - lower.before;
  for (let i = 0; i < bits.length; i++) {
    if (bits[i]! < cutoff) mask[i] = 1;
    else if (bits[i] === cutoff && atCutoff > 0) {
      mask[i] = 1;
      atCutoff--;
    }
  }
  return mask;
}

/** The bucket in which the `count`-th element lies, and how many lie before it. */
function locate(histogram: Uint32Array, count: number): { bucket: number; before: number } {
  let before = 0;
  for (let bucket = 0; bucket < histogram.length; bucket++) {
    if (before + histogram[bucket]! >= count) return { bucket, before };
    before += histogram[bucket]!;
  }
  throw new RangeError('fewer elements than asked for');
}

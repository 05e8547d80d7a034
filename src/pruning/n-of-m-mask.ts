/** Where the summed axis of a weight lies: `length` elements that are `inner` apart, for each of `outer` blocks. */
export interface SummedAxis {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/**
 * The mask (1: goes) that leaves the `keep` largest magnitudes of every `group` neighbours along an axis; of equal ones the
 * last stay. A shorter group at the end keeps as many.
 * Source: A. Mishra et al., Accelerating Sparse Deep Neural Networks, 2021 (2:4), for any n:m.
 */
export function nOfMMask(weights: Float32Array, axis: SummedAxis, keep: number, group: number): Uint8Array {
  const { outer, length, inner } = axis;
  const mask = new Uint8Array(weights.length);
  const members: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let start = 0; start < length; start += group) {
        members.length = 0;
        const end = Math.min(length, start + group);
        for (let k = start; k < end; k++) members.push((o * length + k) * inner + i);
        members.sort((a, b) => magnitude(weights[a]!) - magnitude(weights[b]!) || a - b);
        for (let k = 0; k < members.length - keep; k++) mask[members[k]!] = 1;
      }
    }
  }
  return mask;
}

/** What is not a number is kept as the largest number is. */
function magnitude(weight: number): number {
  return Number.isFinite(weight) ? Math.abs(weight) : Number.MAX_VALUE;
}

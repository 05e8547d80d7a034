/**
 * x86 processors without VNNI multiply unsigned by signed bytes with VPMADDUBSW: two neighbouring products are added in
 * saturating 16 bits. With activations of up to 255 a pair is safe where its positive parts sum to at most 128 and its
 * negative parts to at least -128 (128 · 255 = 32,640 ≤ 32,767).
 */
export const MAX_PAIR_SUM = 128;

/** How the weights of one output channel lie along the axis that is summed over. */
export interface ReductionLayout {
  /** Input channels (of the group), or K of a matrix product. */
  readonly inputs: number;
  /** Kernel positions; 1 for a matrix product. */
  readonly positions: number;
}

/**
 * The pairs of neighbours that a kernel may add before it widens, as index lists into one output channel's weights
 * (stored input-major: index = input * positions + position). A convolution may be unrolled channel by channel,
 * position by position, or position by position with each position padded to whole pairs: all three are covered.
 */
export function neighbourPairs({ inputs, positions }: ReductionLayout): Int32Array {
  const count = inputs * positions;
  const pairs: number[] = [];
  const add = (order: (index: number) => number, length: number): void => {
    for (let i = 0; i + 1 < length; i += 2) pairs.push(order(i), order(i + 1));
  };
  add((index) => index, count);
  if (positions > 1 && inputs > 1) {
    add((index) => (index % inputs) * positions + Math.floor(index / inputs), count);
    if (inputs % 2 === 1) {
      for (let position = 0; position < positions; position++) add((input) => input * positions + position, inputs);
    }
  }
  return Int32Array.from(pairs);
}

/** Number of pairs that can saturate, in one output channel. */
export function countUnsafePairs(weights: Int8Array, pairs: Int32Array): number {
  let unsafe = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    if (Math.abs(pairExcess(weights[pairs[i]!]!, weights[pairs[i + 1]!]!)) > 0) unsafe++;
  }
  return unsafe;
}

/**
 * Makes every pair safe by moving the weights of an unsafe pair towards zero by equal shares, the change of the least
 * squared error. Works in place; magnitudes only shrink, so the loop ends.
 */
export function removeUnsafePairs(weights: Int8Array, pairs: Int32Array): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < pairs.length; i += 2) {
      const first = pairs[i]!;
      const second = pairs[i + 1]!;
      const excess = pairExcess(weights[first]!, weights[second]!);
      if (excess === 0) continue;
      const larger = Math.abs(weights[first]!) >= Math.abs(weights[second]!) ? first : second;
      const smaller = larger === first ? second : first;
      const half = Math.trunc(excess / 2);
      weights[larger]! -= excess - half;
      weights[smaller]! -= half;
      changed = true;
    }
  }
}

/** By how much a pair of one sign exceeds the safe sum; signed, 0 where it is safe. */
function pairExcess(first: number, second: number): number {
  if (first > 0 && second > 0) return Math.max(0, first + second - MAX_PAIR_SUM);
  if (first < 0 && second < 0) return Math.min(0, first + second + MAX_PAIR_SUM);
  return 0;
}

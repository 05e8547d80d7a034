/** Float32 bits of 1, the highest score. */
const ONE_BITS = 0x3f800000;

/**
 * Shares out zeros over layers by one threshold: how many of each layer's lowest scores are among the `count` lowest of
 * all. Scores are ascending within a layer and in [0, 1]; equal scores go to the first layers first. Every layer keeps its
 * highest, unless all are zero, so fewer than `count` are shared out where layers are too small.
 */
export function allocateZeros(layers: readonly Float32Array[], count: number): number[] {
  // A layer of zeros has nothing to keep.
  const available = layers.map((scores) => (scores.at(-1) === 0 ? scores.length : Math.max(0, scores.length - 1)));
  const total = available.reduce((a, b) => a + b, 0);
  if (count >= total) return available;
  // Positive floats order as their bits do: the lowest threshold that takes enough is found by halving.
  let low = 0;
  let high = ONE_BITS;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const taken = layers.reduce(
      (sum, scores, i) => sum + Math.min(available[i]!, countUpTo(scores, fromBits(middle))),
      0,
    );
    if (taken >= count) high = middle;
    else low = middle + 1;
  }
  const threshold = fromBits(low);
  const below = low === 0 ? -1 : fromBits(low - 1);
  const zeros = layers.map((scores, i) => Math.min(available[i]!, countUpTo(scores, below)));
  let rest = count - zeros.reduce((a, b) => a + b, 0);
  for (let i = 0; i < layers.length && rest > 0; i++) {
    const taken = Math.min(rest, Math.min(available[i]!, countUpTo(layers[i]!, threshold)) - zeros[i]!);
    zeros[i]! += taken;
    rest -= taken;
  }
  return zeros;
}

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

function fromBits(pattern: number): number {
  bits[0] = pattern;
  return float[0]!;
}

/** Number of ascending scores that are at most `threshold`. */
function countUpTo(scores: Float32Array, threshold: number): number {
  let low = 0;
  let high = scores.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (scores[middle]! <= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

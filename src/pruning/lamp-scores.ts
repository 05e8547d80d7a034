import { magnitudeBits } from './magnitude-order.ts';

const INFINITY_BITS = 0x7f800000;
/** The smallest positive float32. */
const LOWEST_SCORE = 2 ** -149;

/**
 * Layer-adaptive magnitude scores of one layer, ascending: each weight's square over the sum of the squares that are not
 * smaller. The largest weight of every layer scores 1, so that one threshold for all layers takes little from thin ones.
 * Zeros score 0; what is not finite scores 1.
 * Source: J. Lee et al., Layer-adaptive Sparsity for the Magnitude-based Pruning, ICLR 2021, equation 2.
 */
export function lampScores(weights: Float32Array): Float32Array {
  const order = magnitudeBits(weights).sort();
  const magnitudes = new Float32Array(order.buffer);
  // In place: a score takes the slot of its magnitude, which is not read again.
  let sum = 0;
  for (let i = order.length - 1; i >= 0; i--) {
    if (order[i]! >= INFINITY_BITS) {
      magnitudes[i] = 1;
      continue;
    }
    const square = magnitudes[i]! * magnitudes[i]!;
    sum += square;
    // Only zeros score 0, however little a weight counts.
    magnitudes[i] = square === 0 ? 0 : Math.max(square / sum, LOWEST_SCORE);
  }
  return magnitudes;
}

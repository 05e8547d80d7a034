import { MAX_PAIR_SUM } from './saturation.ts';

/** Largest activation: int8 activations are shifted to 0..255 before they meet the x86 kernels. */
const MAX_ACTIVATION = 255;

/** The largest pair sum that no kernel saturates. */
export const MAX_SAFE_PAIR_SUM = MAX_PAIR_SUM * MAX_ACTIVATION;

/** What two products can reach where nothing is known of the weights: 2 · 128 · 255. */
export const ANY_PAIR_SUM = 256 * MAX_ACTIVATION;

/**
 * Largest magnitude that two neighbouring products can add up to, over all activations of 0 to 255, in one output channel
 * whose weights start at `base` and lie `stride` elements apart; `pairs` as `neighbourPairs` lists them. A weight without
 * a neighbour cannot exceed 16 bits and is not looked at.
 */
export function worstPairSum(weights: Int8Array, pairs: Int32Array, base = 0, stride = 1): number {
  let high = 0;
  let low = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const first = weights[base + pairs[i]! * stride]!;
    const second = weights[base + pairs[i + 1]! * stride]!;
    const positive = (first > 0 ? first : 0) + (second > 0 ? second : 0);
    const negative = (first < 0 ? first : 0) + (second < 0 ? second : 0);
    if (positive > high) high = positive;
    if (negative < low) low = negative;
  }
  return Math.max(high, -low) * MAX_ACTIVATION;
}

/** An upper bound of {@link worstPairSum} for any order of the weights: the two largest of one sign are neighbours. */
export function anyOrderPairSum(weights: Int8Array): number {
  const high = [0, 0];
  const low = [0, 0];
  for (const weight of weights) {
    if (weight > high[1]!) {
      high[1] = Math.min(weight, high[0]!);
      high[0] = Math.max(weight, high[0]!);
    } else if (weight < low[1]!) {
      low[1] = Math.max(weight, low[0]!);
      low[0] = Math.min(weight, low[0]!);
    }
  }
  return Math.max(high[0]! + high[1]!, -low[0]! - low[1]!) * MAX_ACTIVATION;
}

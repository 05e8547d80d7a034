import { neighbourPairs, type ReductionLayout, removeUnsafePairs } from './saturation.ts';

export interface QuantizedWeights {
  /** Same layout as the input. */
  readonly values: Int8Array;
  /** One scale per output channel. */
  readonly scales: Float32Array;
}

/** Where an output channel's weights lie: `channels` slices of `inner` elements each, repeated `outer` times. */
export interface ChannelLayout {
  readonly channels: number;
  readonly outer: number;
  readonly inner: number;
}

/** The channel layout of a tensor whose output channels run along `axis`. */
export function channelLayout(dims: readonly number[], axis: number): ChannelLayout {
  const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
  return { channels: dims[axis] ?? 1, outer: product(dims.slice(0, axis)), inner: product(dims.slice(axis + 1)) };
}

export interface WeightQuantizationOptions {
  /** `max` covers the largest weight; `mse` takes the step with the least squared error (at least 0.7 of that). */
  readonly range: 'max' | 'mse';
  /** Set for targets whose kernels add pairs of products in saturating 16 bits. */
  readonly saturating?: ReductionLayout;
  /** Least scale a channel may have, so that its int32 bias cannot overflow; 0 where there is no bias. */
  readonly minScales?: ArrayLike<number>;
  /** Multiple (at least 1) of the step that covers a channel's largest weight: fewer levels in use, fewer bits when coded. */
  readonly stepFactor?: number;
}

const MSE_STEPS = [1, 0.96, 0.92, 0.87, 0.8, 0.7];
/** What is left of a channel of zeros is its bias, in units of this scale: a fine one. */
const SCALE_OF_ZEROS = 2 ** -16;
/** Where pairs are limited, a wider step leaves fewer of them to limit; with twice the step (7 bits) there are none. */
const LIMITED_STEPS = [0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2];

/**
 * Symmetric int8 weights in -127..127, one scale per output channel, each channel's step chosen on its own.
 * A channel of zeros gets a fixed scale.
 * @throws RangeError where a weight is NaN or infinite.
 */
export function quantizeWeights(
  weights: Float32Array,
  layout: ChannelLayout,
  options: WeightQuantizationOptions,
): QuantizedWeights {
  const { channels, outer, inner } = layout;
  const values = new Int8Array(weights.length);
  const scales = new Float32Array(channels);
  const size = outer * inner;
  const channel = new Float32Array(size);
  const pairs = options.saturating === undefined ? undefined : neighbourPairs(options.saturating);
  for (let c = 0; c < channels; c++) {
    let limit = 0;
    for (let o = 0; o < outer; o++) {
      const start = (o * channels + c) * inner;
      for (let i = 0; i < inner; i++) {
        const weight = weights[start + i]!;
        channel[o * inner + i] = weight;
        limit = Math.max(limit, Math.abs(weight));
      }
    }
    const quantized = quantizeChannel(channel, limit, options, pairs, options.minScales?.[c] ?? 0);
    scales[c] = quantized.scale;
    for (let o = 0; o < outer; o++) {
      values.set(quantized.values.subarray(o * inner, (o + 1) * inner), (o * channels + c) * inner);
    }
  }
  return { values, scales };
}

function quantizeChannel(
  weights: Float32Array,
  limit: number,
  { range, stepFactor = 1 }: WeightQuantizationOptions,
  pairs: Int32Array | undefined,
  minScale: number,
): { values: Int8Array; scale: number } {
  if (!Number.isFinite(limit)) throw new RangeError('weights are not finite');
  if (limit === 0) return { values: new Int8Array(weights.length), scale: Math.max(SCALE_OF_ZEROS, minScale) };
  const fullScale = Math.max(Math.fround(limit / 127), minScale, 1e-30);
  if (pairs === undefined && (range === 'max' || stepFactor > 1)) {
    const scale = Math.max(Math.fround(fullScale * stepFactor), minScale);
    return { values: roundChannel(weights, scale, pairs), scale };
  }
  const tail = pairs === undefined ? tailOf(weights, limit) : weights;
  let best = fullScale;
  let bestError = Number.POSITIVE_INFINITY;
  const steps = pairs === undefined ? MSE_STEPS : LIMITED_STEPS.filter((step) => stepFactor === 1 || step > stepFactor);
  for (const step of stepFactor > 1 ? [stepFactor, ...steps] : steps) {
    const scale = Math.max(Math.fround(fullScale * step), minScale);
    const error =
      pairs === undefined
        ? expectedError(weights, tail, scale)
        : squaredError(weights, roundChannel(weights, scale, pairs), scale);
    if (error < bestError) {
      bestError = error;
      best = scale;
    }
  }
  return { values: roundChannel(weights, best, pairs), scale: best };
}

function roundChannel(weights: Float32Array, scale: number, pairs: Int32Array | undefined): Int8Array {
  const values = new Int8Array(weights.length);
  const inverse = 1 / scale;
  for (let i = 0; i < weights.length; i++) {
    const value = weights[i]! * inverse;
    values[i] = value >= 127 ? 127 : value <= -127 ? -127 : value + HALF_EVEN - HALF_EVEN;
  }
  if (pairs !== undefined) removeUnsafePairs(values, pairs);
  return values;
}

/** Adding and subtracting this number rounds a small one to an integer, halves to the even neighbour. */
const HALF_EVEN = 1.5 * 2 ** 52;

/** Channels of at most this many weights are rounded to judge a step; of more, the error is known well enough ahead. */
const SMALL_CHANNEL = 64;

/** The weights that the smallest step tried would clip: few, and each of them counts. */
function tailOf(weights: Float32Array, limit: number): Float32Array {
  const start = limit * MSE_STEPS.at(-1)!;
  const tail = new Float32Array(weights.length);
  let count = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (weight > start || weight < -start) tail[count++] = weight;
  }
  return tail.subarray(0, count);
}

/**
 * Squared error of a step: of clipping, from the weights in the tail; of rounding, exactly for small channels, otherwise
 * that of uniformly distributed remainders, a twelfth of the squared step for each weight.
 */
function expectedError(weights: Float32Array, tail: Float32Array, scale: number): number {
  const inverse = 1 / scale;
  let clipping = 0;
  let clipped = 0;
  for (let i = 0; i < tail.length; i++) {
    const excess = Math.abs(tail[i]! * inverse) - 127;
    if (excess <= 0) continue;
    clipping += excess * excess;
    clipped++;
  }
  let rounding = (weights.length - clipped) / 12;
  if (weights.length <= SMALL_CHANNEL) {
    rounding = 0;
    for (let i = 0; i < weights.length; i++) {
      const value = weights[i]! * inverse;
      if (value >= 127 || value <= -127) continue;
      const difference = value - (value + HALF_EVEN - HALF_EVEN);
      rounding += difference * difference;
    }
  }
  return (rounding + clipping) * scale * scale;
}

function squaredError(weights: Float32Array, values: Int8Array, scale: number): number {
  let error = 0;
  for (let i = 0; i < weights.length; i++) {
    const difference = weights[i]! - values[i]! * scale;
    error += difference * difference;
  }
  return error;
}

/** Rounds as QuantizeLinear does: halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  return Math.abs(value) < 2 ** 51 ? value + HALF_EVEN - HALF_EVEN : value;
}

/** The real values of quantized weights. */
export function dequantizeWeights(quantized: QuantizedWeights, layout: ChannelLayout): Float32Array {
  const { channels, outer, inner } = layout;
  const result = new Float32Array(quantized.values.length);
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const start = (o * channels + c) * inner;
      for (let i = start; i < start + inner; i++) result[i] = quantized.values[i]! * quantized.scales[c]!;
    }
  }
  return result;
}

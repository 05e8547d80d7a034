import { entropyBits } from '../../codec/estimate-bits.ts';
import type { ChannelLayout } from '../../quantization/quantize-weights.ts';

/** One way to store a tensor's weights as int8, and what it takes. */
export interface WeightStorage {
  /** Share of the weights set to zero first, those of the smallest magnitude. */
  readonly sparsity: number;
  /** Multiple of the step that covers the largest weight of a channel. */
  readonly stepFactor: number;
  /** Entropy of the integers, in bits, over all weights. */
  readonly bits: number;
  /** Squared error of the weights beyond that of plain int8, over all weights. */
  readonly squaredError: number;
}

/** Quarter powers of two up to 32: then four levels are left on each side of zero. */
const STEP_FACTORS = Array.from({ length: 21 }, (_, i) => 2 ** (i / 4));
const SPARSITIES = Array.from({ length: 19 }, (_, i) => i / 20);
/** Weights that are looked at, the most: entropies of a hundred symbols are known well enough after these. */
const SAMPLE = 8192;

/**
 * What wider steps and zeros make of a tensor, estimated on an even selection of its weights. The first choice is plain
 * int8. Sparsities are left out for tensors that are not to be pruned.
 */
export function storageChoices(
  weights: Float32Array,
  layout: ChannelLayout,
  { prunable, wideSteps }: { readonly prunable: boolean; readonly wideSteps: boolean },
): WeightStorage[] {
  const scales = fullScales(weights, layout);
  const selection = smallestFirst(weights, layout, scales);
  const share = weights.length / Math.max(1, selection.magnitudes.length);
  const choices: WeightStorage[] = [];
  let plainError = 0;
  for (const sparsity of prunable ? SPARSITIES : [0]) {
    for (const stepFactor of wideSteps ? STEP_FACTORS : [1]) {
      const { bits, squaredError } = store(selection, sparsity, stepFactor);
      if (choices.length === 0) plainError = squaredError;
      choices.push({
        sparsity,
        stepFactor,
        bits: bits * share,
        squaredError: Math.max(0, squaredError - plainError) * share,
      });
    }
  }
  return choices;
}

interface Selection {
  /** Ascending. */
  readonly magnitudes: Float64Array;
  /** The step of each one's channel. */
  readonly scales: Float64Array;
}

function fullScales(weights: Float32Array, { channels, outer, inner }: ChannelLayout): Float64Array {
  const scales = new Float64Array(channels);
  for (let o = 0, i = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      let largest = scales[c]!;
      for (const end = i + inner; i < end; i++) {
        const magnitude = Math.abs(weights[i]!);
        if (magnitude > largest) largest = magnitude;
      }
      scales[c] = largest;
    }
  }
  return scales.map((largest) => (largest > 0 ? largest / 127 : 1));
}

function smallestFirst(weights: Float32Array, { channels, inner }: ChannelLayout, scales: Float64Array): Selection {
  const stride = Math.max(1, weights.length / SAMPLE);
  const count = Math.floor(weights.length / stride);
  const positions = Uint32Array.from({ length: count }, (_, i) => Math.floor(i * stride + (i % 7) * (stride / 7)));
  const order = positions.sort((a, b) => Math.abs(weights[a]!) - Math.abs(weights[b]!) || a - b);
  return {
    magnitudes: Float64Array.from(order, (i) => Math.abs(weights[i]!)),
    scales: Float64Array.from(order, (i) => scales[Math.floor(i / inner) % channels]!),
  };
}

const counts = new Uint32Array(128);

function store({ magnitudes, scales }: Selection, sparsity: number, stepFactor: number) {
  const zeros = Math.round(sparsity * magnitudes.length);
  counts.fill(0);
  counts[0] = zeros;
  let squaredError = 0;
  for (let i = 0; i < zeros; i++) squaredError += magnitudes[i]! * magnitudes[i]!;
  for (let i = zeros; i < magnitudes.length; i++) {
    const step = scales[i]! * stepFactor;
    const level = Math.min(127, Math.round(magnitudes[i]! / step));
    const difference = magnitudes[i]! - level * step;
    squaredError += difference * difference;
    counts[level]!++;
  }
  const used = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
  // A sign for all but zeros, and what the entropy of few samples lacks (G. A. Miller, Note on the bias of information estimates, 1955).
  const bits = entropyBits(counts) + magnitudes.length - counts[0]! + Math.max(0, used - 1) / (2 * Math.LN2);
  return { bits, squaredError };
}

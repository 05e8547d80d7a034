import { type CostFeature, type CostFeatures, costFeatures } from '../targets/cost-features.ts';

/** Kinds of layers that cost differently on a CPU. */
export type LayerKind =
  | 'conv1x1'
  | 'conv3x3'
  | 'conv-other'
  | 'depthwise'
  | 'fully-connected'
  | 'pointwise'
  | 'move'
  | 'exponential';

/**
 * What one layer asks of a device, whatever format the network came in. `conv1x1` covers matrix products of more than one
 * row, `conv3x3` is stride 1 without dilation, which engines run with Winograd's method; `exponential` are activations
 * that need exp, `move` only puts elements elsewhere, `pointwise` is everything else: sums, pools, simple activations.
 */
export interface LayerCost {
  readonly kind: LayerKind;
  readonly macs: number;
  /** Elements of the weights. */
  readonly weights: number;
  readonly inputElements: number;
  readonly outputElements: number;
  /** Channels of one group; undefined for products without channels. */
  readonly inputChannels?: number | undefined;
  readonly outputChannels?: number | undefined;
  /** Of the output, for `conv3x3`. */
  readonly height?: number | undefined;
  readonly width?: number | undefined;
  /** Set where the networks of the evidence have nothing like it: attention, recurrences, unknown operators. */
  readonly unfamiliar?: string | undefined;
}

const BYTES = 4;
/** Outputs of a Winograd tile, F(4×4, 3×3): Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016. */
const WINOGRAD_TILE = 4;
/** Winograd weights are 36/9 times the originals; about half of that shows as traffic next to the product itself. */
const WINOGRAD_WEIGHT_TRAFFIC = 2;
/** Channels that one vector register holds, in 16 and in 32 bits; kernels take them in such blocks. */
const VECTOR_BLOCK = { halves: 8, singles: 4 };
/** Blocks of 4 fill half of a register of halves: half as bad as none. */
const NARROW_BY_4 = 0.5;

/** Sums the layers of a network. The rules are the same for the evidence that profiles are fitted to and for ONNX graphs. */
export function sumFeatures(layers: readonly LayerCost[]): CostFeatures {
  const sums = Object.fromEntries(costFeatures.map((name) => [name, 0])) as Record<CostFeature, number>;
  for (const layer of layers) for (const [name, value] of featuresOf(layer)) sums[name] += value;
  return sums;
}

/** The features as numbers in the order of `costFeatures`. */
export function featureVector(features: CostFeatures): readonly number[] {
  return costFeatures.map((name) => features[name]);
}

function featuresOf(layer: LayerCost): [CostFeature, number][] {
  const gigabytes = ((layer.inputElements + layer.outputElements) * BYTES) / 1e9;
  const weightGb = (layer.weights * BYTES) / 1e9;
  const gmac = layer.macs / 1e9;
  const overhead: [CostFeature, number] = ['kiloLayers', 1e-3];
  const narrow: [CostFeature, number] = ['narrowGmac', gmac * narrowShare(layer)];
  const column: [CostFeature, number] = ['columnGb', (windowElements(layer) * BYTES) / 1e9];
  switch (layer.kind) {
    case 'conv1x1':
      return [['conv1x1Gmac', gmac], ['conv1x1Gb', gigabytes], narrow, overhead];
    case 'conv3x3':
      return [
        ['conv3x3Gmac', gmac * tileFactor(layer)],
        ['conv3x3Gb', gigabytes],
        ['weightGb', weightGb * WINOGRAD_WEIGHT_TRAFFIC],
        narrow,
        column,
        overhead,
      ];
    case 'conv-other':
      return [['convOtherGmac', gmac], ['convOtherGb', gigabytes], narrow, column, overhead];
    case 'depthwise':
      return [['depthwiseGmac', gmac], ['depthwiseGb', gigabytes], overhead];
    case 'fully-connected':
      return [['weightGb', weightGb], overhead];
    case 'exponential':
      return [['pointwiseGb', gigabytes], ['exponentialGb', (layer.outputElements * BYTES) / 1e9], overhead];
    case 'move':
      return [['pointwiseGb', gigabytes], ['moveGb', gigabytes], overhead];
    case 'pointwise':
      return [['pointwiseGb', gigabytes], overhead];
  }
}

/** The share of a product that vector kernels are lost to, since its channels fill no block. */
function narrowShare({ inputChannels: input, outputChannels: output }: LayerCost): number {
  if (input === undefined || output === undefined) return 0;
  // The three channels of an image have kernels of their own.
  const isImage = input <= 4;
  const fills = (block: number) => (isImage || input % block === 0) && output % block === 0;
  return fills(VECTOR_BLOCK.halves) ? 0 : fills(VECTOR_BLOCK.singles) ? NARROW_BY_4 : 1;
}

/** The windows of the inputs that a larger kernel is multiplied with, side by side: each input as often as windows hold it. */
function windowElements({ macs, outputChannels }: LayerCost): number {
  return outputChannels === undefined ? 0 : macs / outputChannels;
}

function tileFactor({ height = 0, width = 0 }: LayerCost): number {
  if (height === 0 || width === 0) return 1;
  const whole = (size: number) => Math.ceil(size / WINOGRAD_TILE) * WINOGRAD_TILE;
  return (whole(height) * whole(width)) / (height * width);
}

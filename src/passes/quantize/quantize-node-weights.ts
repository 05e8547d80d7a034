import type { Node } from '../../ir/node.ts';
import {
  channelLayout,
  type QuantizedWeights,
  roundHalfEven,
  type WeightQuantizationOptions,
} from '../../quantization/quantize-weights.ts';
import type { ReductionLayout } from '../../quantization/saturation.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { quantizeTensor } from './quantize-tensor.ts';

export interface QuantizedConstant {
  readonly values: Tensor;
  readonly scales: Float32Array;
}

export interface QuantizedNodeWeights {
  readonly weights: QuantizedConstant;
  /** int32 in units of input scale times weight scale; undefined where the node takes no bias, or one in floats. */
  readonly bias: QuantizedConstant | undefined;
  /** The bias with the mean error of the weights in it; undefined where it is as it was, or int32. */
  readonly floatBias: Float32Array | undefined;
  /** Mean error of each output that the bias could not take up, because there is none. */
  readonly shift: Float64Array | undefined;
  /** The output-channel axis of the weights. */
  readonly axis: number;
}

export interface RoundingOptions {
  readonly weightRange: 'max' | 'mse';
  readonly saturating: boolean;
  /** See {@link WeightQuantizationOptions}; 1 where left out. */
  readonly stepFactor?: number;
  /** Operators whose weights have one scale for the whole tensor. */
  readonly perTensor?: readonly string[];
}

/** Share of the int32 range that a bias may fill, so that the sum of products still fits. */
const BIAS_LIMIT = 2 ** 30;

/**
 * Quantizes the weights of a Conv, Gemm or MatMul and its bias. With bias correction, the bias takes up the mean error
 * that rounding the weights makes: `sum((w - ŵ) · E[x])` over an output's weights, with the mean of each input channel
 * from calibration (M. Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, ICCV 2019,
 * section 4.2, with measured means). `exact` are the weights before they were pruned, where they were: their mean error counts too.
 */
export function quantizeNodeWeights(
  node: Node,
  inputScale: number,
  inputMeans: Float64Array | undefined,
  options: RoundingOptions & {
    readonly biasCorrection: boolean;
    /** Default `int32`. */
    readonly biasType?: 'int32' | 'float32';
    readonly exact?: Tensor;
  },
): QuantizedNodeWeights {
  const tensor = node.input(1)!.tensor!;
  const bias = node.input(2)?.tensor?.toFloat32();
  const isIntegerBias = options.biasType !== 'float32';
  const minScales = isIntegerBias ? bias?.map((value) => Math.abs(value) / inputScale / BIAS_LIMIT) : undefined;
  const { quantized, reduction, axis } = roundNodeWeights(node, options, minScales);
  const channels = tensor.dims[axis]!;
  const channelScales =
    quantized.scales.length === channels ? quantized.scales : spread(quantized.scales[0]!, channels);
  const result = {
    weights: { values: Tensor.fromArray('', DataType.int8, tensor.dims, quantized.values), scales: quantized.scales },
    axis,
  };
  const exactShift =
    options.biasCorrection && inputMeans !== undefined
      ? rememberedMeanError(options.exact ?? tensor, quantized, reduction, axis, inputMeans)
      : undefined;
  const grain = shiftGrain(reduction);
  const shift = exactShift?.map((value, c) => {
    const unit = channelScales[c]! * inputScale * grain;
    return Math.round(value / unit) * unit;
  });
  if (node.is('MatMul') || (bias === undefined && shift === undefined)) {
    return { ...result, bias: undefined, floatBias: undefined, shift };
  }
  if (!isIntegerBias) {
    const floatBias =
      shift === undefined ? undefined : Float32Array.from(shift, (value, c) => value + (bias?.[c] ?? 0));
    return { ...result, bias: undefined, floatBias, shift: undefined };
  }
  const scales = channelScales.map((scale) => Math.fround(scale * inputScale));
  const integers = Int32Array.from(scales, (scale, c) =>
    Math.max(-BIAS_LIMIT, Math.min(BIAS_LIMIT, roundHalfEven(((bias?.[c] ?? 0) + (shift?.[c] ?? 0)) / scale))),
  );
  const values = Tensor.fromArray('', DataType.int32, [integers.length], integers);
  return { ...result, bias: { values, scales }, floatBias: undefined, shift: undefined };
}

function largest(values: Float32Array): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}

function spread(value: number, count: number): Float32Array {
  return new Float32Array(count).fill(value);
}

/**
 * What a mean error is rounded to, in products of two integers. Means come out of float kernels, whose last bits differ from
 * processor to processor; on a grid this coarse they hardly ever make another bias. Rounding `n` inputs makes noise of about
 * `12 √n` such products in an output; the grid is a twelfth of it, since an error of the bias does not average out in a pool.
 */
function shiftGrain({ inputs, positions }: ReductionLayout): number {
  return 2 ** Math.round(Math.log2(Math.max(1, inputs * positions)) / 2);
}

/**
 * The integers of a node's weights. They hardly depend on calibration, so that they may be computed ahead of it: see
 * {@link quantizeTensor}, which remembers them.
 */
export function roundNodeWeights(node: Node, options: RoundingOptions, minScales?: Float32Array) {
  const tensor = node.input(1)!.tensor!;
  const axis = node.is('Conv') || node.int('transB', 0) === 1 ? 0 : 1;
  const byChannel = channelLayout(tensor.dims, axis);
  const isPerTensor = options.perTensor?.includes(node.opType) === true;
  const layout = isPerTensor ? { channels: 1, outer: 1, inner: tensor.elementCount } : byChannel;
  const reduction: ReductionLayout = node.is('Conv')
    ? { inputs: tensor.dims[1]!, positions: tensor.dims.slice(2).reduce((a, b) => a * b, 1) }
    : { inputs: byChannel.outer * byChannel.inner, positions: 1 };
  // Depthwise kernels widen to 16 bits before they multiply: they have no pairs.
  const isDepthwise = node.is('Conv') && tensor.dims[1] === 1 && tensor.dims[0] === node.int('group', 1);
  const quantized = quantizeTensor(tensor, layout, {
    range: options.weightRange,
    ...(options.stepFactor === undefined ? {} : { stepFactor: options.stepFactor }),
    ...(options.saturating && !isDepthwise ? { saturating: reduction } : {}),
    ...(minScales === undefined ? {} : { minScales: isPerTensor ? [largest(minScales)] : minScales }),
  });
  return { quantized, reduction, axis };
}

const meanErrors = new WeakMap<QuantizedWeights, WeakMap<Float64Array, Float64Array | undefined>>();

/** {@link meanError}, computed once for the same rounded weights and the same means. */
function rememberedMeanError(
  tensor: Tensor,
  quantized: QuantizedWeights,
  reduction: ReductionLayout,
  axis: number,
  means: Float64Array,
): Float64Array | undefined {
  const known = meanErrors.get(quantized) ?? new WeakMap<Float64Array, Float64Array | undefined>();
  meanErrors.set(quantized, known);
  if (!known.has(means)) {
    known.set(means, meanError(tensor.toFloat32(), quantized, tensor.dims[axis]!, reduction, axis, means));
  }
  return known.get(means);
}

/** Expected output error of each output channel. Undefined where the means do not fit the weights. */
function meanError(
  exact: Float32Array,
  { values, scales }: QuantizedWeights,
  channels: number,
  { inputs, positions }: ReductionLayout,
  axis: number,
  means: Float64Array,
): Float64Array | undefined {
  if (means.length % inputs !== 0) return undefined;
  const groups = means.length / inputs;
  if (channels % groups !== 0) return undefined;
  const result = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const firstInput = Math.floor(c / (channels / groups)) * inputs;
    const scale = scales.length === 1 ? scales[0]! : scales[c]!;
    const step = axis === 0 ? 1 : channels;
    let at = axis === 0 ? c * inputs * positions : c;
    let sum = 0;
    for (let i = 0; i < inputs; i++) {
      let error = 0;
      for (let p = 0; p < positions; p++, at += step) error += exact[at]! - Math.fround(values[at]! * scale);
      sum += error * means[firstInput + i]!;
    }
    result[c] = sum;
  }
  return result;
}

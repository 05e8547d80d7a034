import {
  type ChannelLayout,
  type QuantizedWeights,
  quantizeWeights,
  type WeightQuantizationOptions,
} from '../../quantization/quantize-weights.ts';
import type { Tensor, TensorData } from '../../tensor/tensor.ts';

const remembered = new WeakMap<TensorData, Map<string, QuantizedWeights>>();

/**
 * Weights are rounded the same way in every variant of a model that is tried, so what was found for a tensor is kept as
 * long as the tensor. Only a bias that would overflow makes a variant of its own.
 */
export function quantizeTensor(
  tensor: Tensor,
  layout: ChannelLayout,
  options: WeightQuantizationOptions,
): QuantizedWeights {
  const { minScales, ...rest } = options;
  const known = remembered.get(tensor.data) ?? new Map<string, QuantizedWeights>();
  remembered.set(tensor.data, known);
  const key = JSON.stringify([layout, rest]);
  let quantized = known.get(key);
  if (quantized === undefined) {
    quantized = quantizeWeights(tensor.toFloat32(), layout, rest);
    known.set(key, quantized);
  }
  const fits = minScales === undefined || quantized.scales.every((scale, c) => scale >= minScales[c]!);
  return fits ? quantized : quantizeWeights(tensor.toFloat32(), layout, options);
}

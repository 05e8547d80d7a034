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
 * long as the tensor. Only channels whose bias would overflow
 * are rounded anew.
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
  return minScales === undefined ? quantized : widenSteps(tensor, layout, quantized, { ...rest, minScales });
}

/** The same with wider steps for the channels whose bias would overflow: those of next to nothing but a bias. */
function widenSteps(
  tensor: Tensor,
  layout: ChannelLayout,
  quantized: QuantizedWeights,
  options: WeightQuantizationOptions & { readonly minScales: ArrayLike<number> },
): QuantizedWeights {
  const { minScales } = options;
  const tooFine = [...quantized.scales.keys()].filter((c) => quantized.scales[c]! < minScales[c]!);
  if (tooFine.length === 0) return quantized;
  const weights = tensor.toFloat32();
  const values = quantized.values.slice();
  const scales = quantized.scales.slice();
  const { channels, outer, inner } = layout;
  for (const c of tooFine) {
    const channel = new Float32Array(outer * inner);
    const startOf = (o: number) => (o * channels + c) * inner;
    for (let o = 0; o < outer; o++) channel.set(weights.subarray(startOf(o), startOf(o) + inner), o * inner);
    const one = { channels: 1, outer: 1, inner: channel.length };
    const widened = quantizeWeights(channel, one, { ...options, minScales: [minScales[c]!] });
    scales[c] = widened.scales[0]!;
    for (let o = 0; o < outer; o++) values.set(widened.values.subarray(o * inner, (o + 1) * inner), startOf(o));
  }
  return { values, scales };
}

import type { Value } from '../ir/value.ts';
import { roundHalfEven } from '../quantization/quantize-weights.ts';
import { DataType } from '../tensor/data-type.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The constant that a value holds: an initializer, or the output of a Constant, through Identity nodes. */
export function constantBehind(value: Value | undefined): Tensor | undefined {
  let current = value;
  for (let step = 0; step < 8 && current !== undefined; step++) {
    if (current.tensor !== undefined) return current.tensor;
    if (current.producer?.is('Constant') === true) return current.producer.tensor('value');
    if (current.producer?.is('Identity') !== true) return undefined;
    current = current.producer.input(0);
  }
  return undefined;
}

export interface QuantizedConstant {
  readonly dataType: typeof DataType.int8 | typeof DataType.uint8;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Constant 8-bit integers: stored as such, or float constants behind QuantizeLinear as training tools export them, which
 * the engine rounds when it loads the model. Undefined for anything else.
 */
export function quantizedConstant(value: Value): QuantizedConstant | undefined {
  const stored = constantBehind(value);
  if (stored !== undefined) {
    const { dataType, dims } = stored;
    if (dataType !== DataType.int8 && dataType !== DataType.uint8) return undefined;
    const bytes = stored.bytes();
    return bytes.byteLength === stored.elementCount ? { dataType, dims, bytes } : undefined;
  }
  const producer = value.producer;
  if (producer?.is('QuantizeLinear') !== true || producer.int('block_size', 0) > 0) return undefined;
  const [source, scale, zeroPoint] = [0, 1, 2].map((index) => constantBehind(producer.input(index)));
  if (source?.dataType !== DataType.float32 || scale === undefined) return undefined;
  if (zeroPoint === undefined && (producer.input(2) !== undefined || producer.int('output_dtype', 0) !== 0)) {
    return undefined;
  }
  const dataType = zeroPoint?.dataType ?? DataType.uint8;
  if (dataType !== DataType.int8 && dataType !== DataType.uint8) return undefined;
  return { dataType, dims: source.dims, bytes: quantize(source, scale, zeroPoint, producer.int('axis', 1), dataType) };
}

function quantize(
  source: Tensor,
  scale: Tensor,
  zeroPoint: Tensor | undefined,
  axis: number,
  dataType: QuantizedConstant['dataType'],
): Uint8Array {
  const values = source.toFloat32();
  const scales = scale.toFloat32();
  const zeroPoints = zeroPoint?.toFloat32() ?? new Float32Array(1);
  const inner = source.dims.slice(axis < 0 ? axis + source.dims.length + 1 : axis + 1).reduce((a, b) => a * b, 1);
  const low = dataType === DataType.int8 ? -128 : 0;
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const channel = Math.floor(i / inner);
    const step = scales[channel % scales.length]!;
    const rounded = roundHalfEven(values[i]! / step) + zeroPoints[channel % zeroPoints.length]!;
    bytes[i] = Math.max(low, Math.min(low + 255, rounded));
  }
  return bytes;
}

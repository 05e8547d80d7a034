import { DataType } from '../tensor/data-type.ts';

/** The 8-bit types a tensor can be quantized to. */
export type QuantizedType = 'uint8' | 'int8';

/** `real = (quantized - zeroPoint) * scale` (ONNX QuantizeLinear), one pair for a whole tensor. */
export interface QuantizationParameters {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly type: QuantizedType;
}

/** A closed interval of real values. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export function onnxTypeOf(type: QuantizedType): DataType {
  return type === 'uint8' ? DataType.uint8 : DataType.int8;
}

/** Smallest and largest quantized value of a type. */
export function limitsOf(type: QuantizedType): Range {
  return type === 'uint8' ? { min: 0, max: 255 } : { min: -128, max: 127 };
}

/**
 * Parameters that cover a range. Zero is always representable exactly: the range is widened to hold it and the zero
 * point is rounded. A symmetric int8 range uses -127..127 with zero point 0; a symmetric uint8 one centres on 128.
 */
export function parametersOfRange(range: Range, type: QuantizedType, symmetric: boolean): QuantizationParameters {
  const limits = limitsOf(type);
  const min = Math.min(0, range.min);
  const max = Math.max(0, range.max);
  if (symmetric) {
    const zeroPoint = type === 'uint8' ? 128 : 0;
    return { scale: toScale(Math.max(-min, max) / 127), zeroPoint, type };
  }
  const scale = toScale((max - min) / (limits.max - limits.min));
  const zeroPoint = Math.min(limits.max, Math.max(limits.min, Math.round(limits.min - min / scale)));
  return { scale, zeroPoint, type };
}

/** The real values that the parameters can represent. */
export function rangeOfParameters({ scale, zeroPoint, type }: QuantizationParameters): Range {
  const limits = limitsOf(type);
  return { min: (limits.min - zeroPoint) * scale, max: (limits.max - zeroPoint) * scale };
}

/** Scales are float32 in the file: compute with the value that is stored. A tensor of zeros gets the scale 1. */
function toScale(scale: number): number {
  const stored = Math.fround(scale);
  return stored > 1e-30 && Number.isFinite(stored) ? stored : 1;
}

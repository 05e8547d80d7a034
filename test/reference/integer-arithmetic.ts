/** How a processor adds up products of 8-bit numbers. */
export type Accumulation =
  /** Every product is added in 32 bits: ARM, x86 with VNNI, and the ONNX specification. */
  | 'exact'
  /** Two neighbouring products are added in saturating 16 bits first (VPMADDUBSW): x86 without VNNI. */
  | 'saturating';

/** To the nearest integer, halves to the even one, as QuantizeLinear and QLinearConv say. */
export function roundToNearestEven(value: number): number {
  const below = Math.floor(value);
  const fraction = value - below;
  if (fraction < 0.5) return below;
  if (fraction > 0.5) return below + 1;
  return below % 2 === 0 ? below : below + 1;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

/** `saturate(round(real / scale) + zeroPoint)`. */
export function quantizeNumber(real: number, scale: number, zeroPoint: number, isSigned: boolean): number {
  const [low, high] = isSigned ? [-128, 127] : [0, 255];
  return clamp(roundToNearestEven(real / scale) + zeroPoint, low, high);
}

/**
 * `Σ (x - zeroPoint) · w` in 32 bits. The saturating form multiplies the bytes as they are stored (signed ones moved to
 * unsigned by adding 128) and takes the zero point off afterwards, as kernels do.
 */
export function dotProduct(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  zeroPoint: number,
  isSigned: boolean,
  accumulation: Accumulation,
): number {
  let sum = 0;
  if (accumulation === 'exact') {
    for (let i = 0; i < w.length; i++) sum += (x[i]! - zeroPoint) * w[i]!;
    return sum | 0;
  }
  const offset = isSigned ? 128 : 0;
  let sumOfWeights = 0;
  for (let i = 0; i < w.length; i += 2) {
    const first = (x[i]! + offset) * w[i]!;
    const second = i + 1 < w.length ? (x[i + 1]! + offset) * w[i + 1]! : 0;
    sum += clamp(first + second, -32768, 32767);
    sumOfWeights += w[i]! + (i + 1 < w.length ? w[i + 1]! : 0);
  }
  return (sum - (zeroPoint + offset) * sumOfWeights) | 0;
}

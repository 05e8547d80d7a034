import { type Accumulation, dotProduct } from './integer-arithmetic.ts';

/** Bytes with a shape, and what of them stands for zero. */
export interface IntegerTensor {
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
  readonly zeroPoint: number;
  readonly isSigned: boolean;
}

export interface ConvAttributes {
  readonly group: number;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begin of every axis, then end of every axis, as in ONNX. */
  readonly pads: readonly number[];
}

/** In which order a kernel runs over the weights of one output: channel by channel, or kernel position by position. */
export type ReductionOrder = 'channels-first' | 'positions-first';

/**
 * Convolution of any rank of x [N, C, ...] with int8 weights [M, C / group, ...] whose zero point is 0, in int32:
 * [N, M, ...]. Written for reading: one dot product per output, over a gathered patch.
 */
export function integerConv(
  x: IntegerTensor,
  weights: { readonly dims: readonly number[]; readonly values: ArrayLike<number> },
  { group, strides, dilations, pads }: ConvAttributes,
  accumulation: Accumulation = 'exact',
  order: ReductionOrder = 'channels-first',
): { dims: number[]; values: Int32Array } {
  const [batch, channels, ...size] = x.dims as [number, number, ...number[]];
  const [outputs, inputs, ...kernel] = weights.dims as [number, number, ...number[]];
  const rank = size.length;
  const outSize = size.map((length, a) => {
    const span = dilations[a]! * (kernel[a]! - 1) + 1;
    return Math.floor((length + pads[a]! + pads[a + rank]! - span) / strides[a]!) + 1;
  });
  const positions = product(kernel);
  const places = product(outSize);
  const values = new Int32Array(batch * outputs * places);
  const patch = new Int32Array(inputs * positions);
  const row = new Int32Array(inputs * positions);
  const addition = inputs === 1 && outputs === group ? 'exact' : accumulation;
  for (let n = 0; n < batch; n++) {
    for (let m = 0; m < outputs; m++) {
      const firstChannel = Math.floor(m / (outputs / group)) * inputs;
      for (let place = 0; place < places; place++) {
        const origin = unravel(place, outSize).map((at, a) => at * strides[a]! - pads[a]!);
        for (let c = 0; c < inputs; c++) {
          for (let p = 0; p < positions; p++) {
            const at = unravel(p, kernel).map((offset, a) => origin[a]! + offset * dilations[a]!);
            const isInside = at.every((index, a) => index >= 0 && index < size[a]!);
            const slot = order === 'channels-first' ? c * positions + p : p * inputs + c;
            const start = (n * channels + firstChannel + c) * product(size);
            patch[slot] = isInside ? x.values[start + ravel(at, size)]! : x.zeroPoint;
            row[slot] = weights.values[(m * inputs + c) * positions + p]!;
          }
        }
        values[(n * outputs + m) * places + place] = dotProduct(patch, row, x.zeroPoint, x.isSigned, addition);
      }
    }
  }
  return { dims: [batch, outputs, ...outSize], values };
}

/** Matrix product of x [..., K] with int8 weights [K, N] whose zero point is 0, in int32: [..., N]. */
export function integerMatMul(
  x: IntegerTensor,
  weights: { readonly dims: readonly number[]; readonly values: ArrayLike<number> },
  accumulation: Accumulation = 'exact',
): { dims: number[]; values: Int32Array } {
  const [depth, columns] = weights.dims as [number, number];
  const rows = product(x.dims) / depth;
  const values = new Int32Array(rows * columns);
  const column = new Int32Array(depth);
  for (let j = 0; j < columns; j++) {
    for (let k = 0; k < depth; k++) column[k] = weights.values[k * columns + j]!;
    for (let i = 0; i < rows; i++) {
      const row = Array.prototype.slice.call(x.values, i * depth, (i + 1) * depth);
      values[i * columns + j] = dotProduct(row, column, x.zeroPoint, x.isSigned, accumulation);
    }
  }
  return { dims: [...x.dims.slice(0, -1), columns], values };
}

function product(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

function unravel(index: number, dims: readonly number[]): number[] {
  const result: number[] = [];
  let rest = index;
  for (const dim of dims.toReversed()) {
    result.unshift(rest % dim);
    rest = Math.floor(rest / dim);
  }
  return result;
}

function ravel(index: readonly number[], dims: readonly number[]): number {
  return index.reduce((sum, at, a) => sum * dims[a]! + at, 0);
}

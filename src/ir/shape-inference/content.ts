import { DataType } from '../../tensor/data-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { SymbolicDim } from './dim-expression.ts';

/** What is known of a small tensor's elements: each a number, an expression over symbols, or unknown. */
export interface Content {
  readonly dims: readonly number[];
  readonly elements: readonly (SymbolicDim | undefined)[];
}

/** Shape computations are small; larger tensors are data. */
export const MAX_CONTENT_ELEMENTS = 1024;
/** Scales and sizes that come as floats, or in bytes, are few: longer ones are biases and quantization parameters. */
const MAX_UNUSUAL_ELEMENTS = 64;

const contentTypes = new Set<number>([
  DataType.int64,
  DataType.int32,
  DataType.bool,
  DataType.float32,
  DataType.float64,
  DataType.uint8,
  DataType.int8,
  DataType.int16,
  DataType.uint16,
  DataType.uint32,
]);

/** The elements of a small constant; undefined for larger ones, for types that hold no shapes, and for broken data. */
export function contentOf(tensor: Tensor): Content | undefined {
  const { dataType, elementCount } = tensor;
  const isIndex = dataType === DataType.int64 || dataType === DataType.int32;
  const most = isIndex ? MAX_CONTENT_ELEMENTS : MAX_UNUSUAL_ELEMENTS;
  if (!contentTypes.has(dataType) || elementCount > most) return undefined;
  try {
    return { dims: tensor.dims, elements: tensor.toNumbers() };
  } catch {
    return undefined;
  }
}

/** The content made of another content's elements, where `indices[i]` is the source of element i. */
export function pick(content: Content, dims: readonly number[], indices: readonly number[]): Content {
  return { dims, elements: indices.map((index) => content.elements[index]) };
}

/** Elements as numbers, where every one is known and fixed. */
export function numbersOf(content: Content | undefined): number[] | undefined {
  if (content === undefined) return undefined;
  return content.elements.every((element) => typeof element === 'number')
    ? (content.elements as number[]).slice()
    : undefined;
}

export function elementCountOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Row-major strides. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let stride = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= dims[axis]!;
  }
  return strides;
}

/** Calls `visit` with every coordinate of a shape in row-major order; the array is reused. */
export function forEachCoordinate(dims: readonly number[], visit: (coordinate: readonly number[]) => void): void {
  const count = elementCountOf(dims);
  const coordinate = new Array<number>(dims.length).fill(0);
  for (let i = 0; i < count; i++) {
    visit(coordinate);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      if (++coordinate[axis]! < dims[axis]!) break;
      coordinate[axis] = 0;
    }
  }
}

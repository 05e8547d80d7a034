import { DataType } from './data-type.ts';

/** The arrays that hold the elements of an {@link NdArray}. float16 and bfloat16 are kept as their 16-bit patterns. */
export type ElementArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array;

/** A dense array in memory, as it goes into and comes out of an inference session. `data.length` is the product of `dims`. */
export interface NdArray {
  readonly dataType: DataType;
  readonly dims: readonly number[];
  readonly data: ElementArray;
}

/** Inputs of one run by input name, or its outputs by output name. */
export type Feeds = Readonly<Record<string, NdArray>>;

/** The constructor of the array that holds elements of `dataType`, or undefined where a run cannot carry the type. */
export function elementArrayOf(dataType: number) {
  switch (dataType) {
    case DataType.float32:
      return Float32Array;
    case DataType.float64:
      return Float64Array;
    case DataType.uint8:
    case DataType.bool:
      return Uint8Array;
    case DataType.int8:
      return Int8Array;
    case DataType.uint16:
    case DataType.float16:
    case DataType.bfloat16:
      return Uint16Array;
    case DataType.int16:
      return Int16Array;
    case DataType.uint32:
      return Uint32Array;
    case DataType.int32:
      return Int32Array;
    case DataType.int64:
      return BigInt64Array;
    case DataType.uint64:
      return BigUint64Array;
    default:
      return undefined;
  }
}

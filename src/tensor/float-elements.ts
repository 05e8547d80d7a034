import { DataType } from './data-type.ts';
import { bfloat16ToNumber, float16ToNumber } from './float16.ts';
import type { NdArray } from './nd-array.ts';

/** The elements of a float array of any width as float32: the same memory where they are, a copy otherwise. */
export function floatElements({ data, dataType }: NdArray): Float32Array {
  if (data instanceof Float32Array) return data;
  if (dataType === DataType.float16) return Float32Array.from(data as Uint16Array, float16ToNumber);
  if (dataType === DataType.bfloat16) return Float32Array.from(data as Uint16Array, bfloat16ToNumber);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

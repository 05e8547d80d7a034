import { DataType } from '../../tensor/data-type.ts';
import { bfloat16ToNumber, float16ToNumber } from '../../tensor/float16.ts';
import type { NdArray } from '../../tensor/nd-array.ts';

/** The elements as numbers: the same memory for float32, a copy for everything else. */
export function realValues(array: NdArray): Float32Array | Float64Array {
  const { data, dataType } = array;
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (data instanceof Uint16Array && (dataType === DataType.float16 || dataType === DataType.bfloat16)) {
    return Float32Array.from(data, dataType === DataType.float16 ? float16ToNumber : bfloat16ToNumber);
  }
  return Float64Array.from(data as ArrayLike<number | bigint>, Number);
}

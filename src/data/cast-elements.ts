import { DataType, dataTypeName } from '../tensor/data-type.ts';
import { bfloat16ToNumber, float16ToNumber, numberToBfloat16, numberToFloat16 } from '../tensor/float16.ts';
import { type ElementArray, elementArrayOf } from '../tensor/nd-array.ts';
import type { RawArray } from './npy-array.ts';

/** The smallest and largest value of each integer type. */
const integerRanges: ReadonlyMap<DataType, readonly [bigint, bigint]> = new Map([
  [DataType.bool, [0n, 1n]],
  [DataType.uint8, [0n, 0xffn]],
  [DataType.int8, [-0x80n, 0x7fn]],
  [DataType.uint16, [0n, 0xffffn]],
  [DataType.int16, [-0x8000n, 0x7fffn]],
  [DataType.uint32, [0n, 0xffff_ffffn]],
  [DataType.int32, [-0x8000_0000n, 0x7fff_ffffn]],
  [DataType.uint64, [0n, 0xffff_ffff_ffff_ffffn]],
  [DataType.int64, [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn]],
]);

export function isInteger(dataType: DataType): boolean {
  return integerRanges.has(dataType);
}

/** An aligned copy of stored elements as the array of their type; float16 stays in its bit patterns. */
export function elementsOf(raw: RawArray): ElementArray {
  const ArrayType = elementArrayOf(raw.dataType)!;
  return new ArrayType(new Uint8Array(raw.bytes).buffer);
}

/**
 * Converts stored elements to the type of a model input: integers to integers (checked to fit) and to floats, floats to floats.
 * @returns the elements, or in one line why they cannot be converted: the wrong kind of type, a value out of range, NaN, infinity.
 */
export function castElements(raw: RawArray, to: DataType): ElementArray | string {
  const from = raw.dataType;
  const ArrayType = elementArrayOf(to);
  if (ArrayType === undefined) return `${dataTypeName(to)} inputs cannot be fed from files`;
  const source = elementsOf(raw);
  if (isInteger(to)) {
    if (!isInteger(from)) return `${dataTypeName(from)} values do not go into ${dataTypeName(to)}`;
    return castIntegers(source, from, to);
  }
  const values = isInteger(from) ? undefined : findNotFinite(source, from);
  if (values !== undefined) return values;
  if (from === to) return source;
  const result = new ArrayType(source.length) as Exclude<ElementArray, BigInt64Array | BigUint64Array>;
  const decode = from === DataType.float16 ? float16ToNumber : (value: number) => value;
  const encode =
    to === DataType.float16 ? numberToFloat16 : to === DataType.bfloat16 ? numberToBfloat16 : (value: number) => value;
  for (let i = 0; i < source.length; i++) result[i] = encode(decode(Number(source[i])));
  const overflow = findNotFinite(result, to);
  return overflow === undefined ? result : `a value is too large for ${dataTypeName(to)}`;
}

function castIntegers(source: ElementArray, from: DataType, to: DataType): ElementArray | string {
  const [low, high] = integerRanges.get(to)!;
  const [fromLow, fromHigh] = integerRanges.get(from)!;
  const fits = low <= fromLow && fromHigh <= high;
  // A byte stored as bool may be any byte; NumPy itself writes 0 and 1 only.
  if (!fits || from === DataType.bool) {
    const [min, max] = from === DataType.bool ? [0n, 1n] : [low, high];
    const bad = (source as ArrayLike<number | bigint> & { findIndex: Uint8Array['findIndex'] }).findIndex(
      (value: number | bigint) => value < min || value > max,
    );
    if (bad >= 0) return `the value ${source[bad]} does not fit ${dataTypeName(from === DataType.bool ? from : to)}`;
  }
  if (from === to) return source;
  const ArrayType = elementArrayOf(to)!;
  const result = new ArrayType(source.length);
  const wide = result instanceof BigInt64Array || result instanceof BigUint64Array;
  for (let i = 0; i < source.length; i++) result[i] = wide ? BigInt(source[i]!) : Number(source[i]!);
  return result;
}

/** Says where the first NaN or infinity of a float array is. */
function findNotFinite(array: ElementArray, dataType: DataType): string | undefined {
  for (let i = 0; i < array.length; i++) {
    const stored = array[i] as number;
    const value =
      dataType === DataType.float16
        ? float16ToNumber(stored)
        : dataType === DataType.bfloat16
          ? bfloat16ToNumber(stored)
          : stored;
    if (!Number.isFinite(value)) return `element ${i} is ${Number.isNaN(value) ? 'NaN' : 'infinite'}`;
  }
  return undefined;
}

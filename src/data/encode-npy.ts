import { DataType } from '../tensor/data-type.ts';

const descriptors: Readonly<Record<number, string>> = {
  [DataType.float16]: '<f2',
  [DataType.float32]: '<f4',
  [DataType.float64]: '<f8',
  [DataType.uint8]: '|u1',
  [DataType.int8]: '|i1',
  [DataType.bool]: '|b1',
  [DataType.uint16]: '<u2',
  [DataType.int16]: '<i2',
  [DataType.uint32]: '<u4',
  [DataType.int32]: '<i4',
  [DataType.uint64]: '<u8',
  [DataType.int64]: '<i8',
  [DataType.complex64]: '<c8',
  [DataType.complex128]: '<c16',
};

/**
 * The header of a NumPy array file (format 1.0) for elements of an ONNX type in row order; the little-endian elements follow it.
 * Undefined for types that NumPy does not have.
 */
export function npyHeader(dataType: number, shape: readonly number[]): Uint8Array | undefined {
  const descriptor = descriptors[dataType];
  if (descriptor === undefined) return undefined;
  const dims = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const text = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': ${dims}, }`;
  const prefixLength = 10;
  const length = Math.ceil((prefixLength + text.length + 1) / 64) * 64;
  const header = new Uint8Array(length).fill(0x20);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, (length - prefixLength) & 255, (length - prefixLength) >> 8]);
  header.set(new TextEncoder().encode(text), prefixLength);
  header[length - 1] = 0x0a;
  return header;
}

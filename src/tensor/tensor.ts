import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { DataType, dataTypeName, packedByteLength } from './data-type.ts';
import { bfloat16ToNumber, float16ToNumber } from './float16.ts';
import { type ElementArray, elementArrayOf, type NdArray } from './nd-array.ts';

/** Where the bytes of a tensor come from. Implementations may hold a view, decode on demand, or read a file. */
export interface TensorData {
  /** Size of the elements in `raw_data` form. */
  readonly byteLength: number;
  /** The elements in ONNX `raw_data` form (little-endian, packed): often an unaligned view; not to be written to. */
  bytes(): Uint8Array;
  /** UTF-8 elements of a string tensor. */
  strings?(): readonly Uint8Array[];
}

/** An immutable constant: element type, shape, and data that is only copied when typed access asks for it. */
export class Tensor {
  readonly name: string;
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly data: TensorData;

  constructor(name: string, dataType: number, dims: readonly number[], data: TensorData) {
    this.name = name;
    this.dataType = dataType;
    this.dims = dims;
    this.data = data;
  }

  /** A tensor over existing `raw_data` bytes; the bytes are kept, not copied. */
  static fromBytes(name: string, dataType: number, dims: readonly number[], bytes: Uint8Array): Tensor {
    return new Tensor(name, dataType, dims, { byteLength: bytes.byteLength, bytes: () => bytes });
  }

  /** A tensor over a typed array (a little-endian host is assumed, as ONNX Runtime does); kept, not copied. */
  static fromArray(name: string, dataType: number, dims: readonly number[], array: ElementArray): Tensor {
    return Tensor.fromBytes(name, dataType, dims, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }

  static float32(name: string, dims: readonly number[], values: Float32Array | readonly number[]): Tensor {
    return Tensor.fromArray(name, DataType.float32, dims, Float32Array.from(values));
  }

  static int64(name: string, dims: readonly number[], values: readonly (number | bigint)[]): Tensor {
    return Tensor.fromArray(
      name,
      DataType.int64,
      dims,
      BigInt64Array.from(values, (value) => BigInt(value)),
    );
  }

  /** The product of the dims: 1 for a scalar. */
  get elementCount(): number {
    return this.dims.reduce((product, dim) => product * dim, 1);
  }

  get byteLength(): number {
    return this.data.byteLength;
  }

  bytes(): Uint8Array {
    return this.data.bytes();
  }

  withName(name: string): Tensor {
    return new Tensor(name, this.dataType, this.dims, this.data);
  }

  /** The same elements under another shape of the same element count. */
  withDims(dims: readonly number[]): Tensor {
    return new Tensor(this.name, this.dataType, dims, this.data);
  }

  /**
   * An aligned copy of the elements as the array of their type. Sub-byte and 8-bit float types are not covered.
   * @throws EdgepackError `model-invalid` if the data is shorter than the shape asks for.
   */
  toArray(): ElementArray {
    const ArrayType = elementArrayOf(this.dataType);
    if (ArrayType === undefined) {
      throw new EdgepackError('model-invalid', `a ${dataTypeName(this.dataType)} tensor has no array form`, {
        location: { tensor: this.name },
      });
    }
    const source = this.bytes();
    const expected = packedByteLength(this.dataType, this.elementCount);
    if (source.byteLength !== expected) {
      throw new EdgepackError(
        'model-invalid',
        `holds ${source.byteLength} bytes where its shape [${this.dims.join(', ')}] of ${dataTypeName(this.dataType)} needs ${expected}`,
        { location: { tensor: this.name } },
      );
    }
    return new ArrayType(new Uint8Array(source).buffer);
  }

  /** A copy of the elements as float32, from any float or integer type of at most 32 bits, float64 or int64. */
  toFloat32(): Float32Array {
    const array = this.toArray();
    if (array instanceof Float32Array) return array;
    const result = new Float32Array(array.length);
    if (this.dataType === DataType.float16 || this.dataType === DataType.bfloat16) {
      const convert = this.dataType === DataType.float16 ? float16ToNumber : bfloat16ToNumber;
      for (let i = 0; i < result.length; i++) result[i] = convert(array[i] as number);
    } else {
      for (let i = 0; i < result.length; i++) result[i] = Number(array[i]);
    }
    return result;
  }

  /** The elements as JavaScript numbers: for shapes, axes and other small integer tensors. */
  toNumbers(): number[] {
    return Array.from(this.toArray() as ArrayLike<number | bigint>, Number);
  }

  toNdArray(): NdArray {
    return { dataType: this.dataType as DataType, dims: this.dims, data: this.toArray() };
  }
}

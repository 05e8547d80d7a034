import type Long from 'long';
import { DataType, packedByteLength } from '../../tensor/data-type.ts';
import type { TensorData } from '../../tensor/tensor.ts';
import type { TensorProto } from './proto.ts';

/**
 * The elements of a tensor that is stored inside the model file, whichever field they are in. `raw_data` is passed on as
 * a view; the typed fields are converted when the bytes are first asked for (ONNX specification, TensorProto).
 */
export function inlineTensorData(proto: TensorProto, elementCount: number): TensorData {
  const dataType = proto.dataType ?? 0;
  if (dataType === DataType.string) {
    const strings = proto.stringData ?? [];
    return { byteLength: 0, bytes: () => new Uint8Array(0), strings: () => strings };
  }
  const raw = proto.rawData;
  if (raw !== undefined && (raw.byteLength > 0 || elementCount === 0)) {
    return { byteLength: raw.byteLength, bytes: () => raw };
  }
  let converted: Uint8Array | undefined;
  return {
    byteLength: packedByteLength(dataType, elementCount),
    bytes: () => {
      converted ??= convertTypedFields(proto, dataType);
      return converted;
    },
  };
}

function convertTypedFields(proto: TensorProto, dataType: number): Uint8Array {
  const int32Data = proto.int32Data ?? [];
  switch (dataType) {
    case DataType.float32:
    case DataType.complex64:
      return bytesOf(Float32Array.from(proto.floatData ?? []));
    case DataType.float64:
    case DataType.complex128:
      return bytesOf(Float64Array.from(proto.doubleData ?? []));
    case DataType.int64:
      return bytesOf(BigInt64Array.from(proto.int64Data ?? [], longToBigInt));
    case DataType.uint64:
      return bytesOf(BigUint64Array.from(proto.uint64Data ?? [], longToBigInt));
    case DataType.uint32:
      return bytesOf(Uint32Array.from(proto.uint64Data ?? [], (value) => value.low >>> 0));
    case DataType.int32:
      return bytesOf(Int32Array.from(int32Data));
    case DataType.int16:
    case DataType.uint16:
    case DataType.float16:
    case DataType.bfloat16:
      return bytesOf(Uint16Array.from(int32Data));
    default:
      // 8-bit types hold one element per int32, sub-byte types one packed byte per int32.
      return Uint8Array.from(int32Data);
  }
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Exact value of a 64-bit integer of the wire format. */
export function longToBigInt(value: Long): bigint {
  const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? bits : BigInt.asIntN(64, bits);
}

/** A number where that is exact, a bigint otherwise. */
export function longToInt(value: Long): number | bigint {
  const big = longToBigInt(value);
  return big >= -9007199254740991n && big <= 9007199254740991n ? Number(big) : big;
}

import Long from 'long';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { bitsPerElement, DataType, dataTypeName, packedByteLength } from '../../tensor/data-type.ts';
import type { TensorData } from '../../tensor/tensor.ts';
import { decodeVarints, encodedPayload, type TypedField, typedFieldOf, varintCount } from './packed-numbers.ts';
import type { TensorProto } from './proto.ts';

/**
 * The elements of a tensor that is stored inside the model file, whichever field they are in. `raw_data` is passed on as
 * a view; the typed fields are converted when the bytes are asked for (ONNX specification, TensorProto).
 * @throws EdgepackError `model-invalid` where the file holds more or fewer elements than the shape states.
 */
export function inlineTensorData(proto: TensorProto, elementCount: number): TensorData {
  const dataType = proto.dataType ?? 0;
  if (dataType === DataType.undefined) throw invalid(proto, 'states no element type');
  if (dataType === DataType.string) return stringData(proto, elementCount);
  const raw = proto.rawData as Uint8Array | undefined;
  const byteLength = packedByteLength(dataType, elementCount);
  const isKnown = bitsPerElement(dataType) > 0;
  const field = typedFieldOf(dataType);
  const payload = encodedPayload(proto, field);
  if (raw !== undefined && raw.byteLength > 0) {
    if (payload.byteLength > 0) throw invalid(proto, 'holds its elements twice, in raw_data and in a typed field');
    if (isKnown && raw.byteLength !== byteLength) throw wrongLength(proto, `${raw.byteLength} bytes`, byteLength);
    return { byteLength: raw.byteLength, bytes: () => raw };
  }
  if (!isKnown) return { byteLength: 0, bytes: () => new Uint8Array(0) };
  const stored = field.isVarint ? varintCount(payload) : payload.byteLength / field.bytes;
  const needed = field.isVarint ? storedNumbers(dataType, elementCount) : byteLength / field.bytes;
  if (stored !== needed) throw wrongLength(proto, `${stored} elements`, needed);
  if (!field.isVarint) return { byteLength, bytes: () => payload };
  let converted: WeakRef<Uint8Array> | undefined;
  return {
    byteLength,
    bytes: () => {
      let bytes = converted?.deref();
      if (bytes === undefined) {
        bytes = convertVarints(payload, field, dataType, stored);
        converted = new WeakRef(bytes);
      }
      return bytes;
    },
  };
}

function stringData(proto: TensorProto, elementCount: number): TensorData {
  const strings = proto.stringData ?? [];
  if (strings.length !== elementCount) throw wrongLength(proto, `${strings.length} strings`, elementCount);
  return { byteLength: 0, bytes: () => new Uint8Array(0), strings: () => strings };
}

/** 8-bit types take one number per element; sub-byte types one per packed byte. */
function storedNumbers(dataType: number, elementCount: number): number {
  return bitsPerElement(dataType) < 8 ? packedByteLength(dataType, elementCount) : elementCount;
}

function convertVarints(payload: Uint8Array, field: TypedField, dataType: number, count: number): Uint8Array {
  const words = decodeVarints(payload, count);
  if (field.bytes === 8 && bitsPerElement(dataType) === 64) return new Uint8Array(words.buffer);
  const bits = Math.max(8, bitsPerElement(dataType));
  const result = bits === 32 ? new Uint32Array(count) : bits === 16 ? new Uint16Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) result[i] = words[2 * i]!;
  return new Uint8Array(result.buffer);
}

function wrongLength(proto: TensorProto, stored: string, needed: number): EdgepackError {
  const dims = (proto.dims ?? []).slice(0, 16).join(', ');
  return invalid(
    proto,
    `holds ${stored} where its shape [${dims}] of ${dataTypeName(proto.dataType ?? 0)} needs ${needed}`,
  );
}

function invalid(proto: TensorProto, message: string): EdgepackError {
  return new EdgepackError('model-invalid', message, {
    location: { tensor: printable(proto.name ?? '') },
    hint: 'the file is damaged or was written by a faulty tool: export the model again',
  });
}

/** Exact value of a 64-bit integer of the wire format. */
export function longToBigInt(value: Long): bigint {
  const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? bits : BigInt.asIntN(64, bits);
}

/** A signed 64-bit integer as messages hold it. */
export function toLong(value: bigint): Long {
  return Long.fromBits(Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn));
}

/** A number where that is exact, a bigint otherwise. */
export function longToInt(value: Long): number | bigint {
  const high = value.high;
  if (high >= -0x200000 && high < 0x200000 && !(value.unsigned && high < 0))
    return high * 0x100000000 + (value.low >>> 0);
  return longToBigInt(value);
}

import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { DataType } from '../../tensor/data-type.ts';
import { type TensorProto, unknownFields } from './proto.ts';
import { WireCursor, WireType } from './wire-cursor.ts';

/** The field of a TensorProto that holds the elements of a type where `raw_data` does not. */
export interface TypedField {
  readonly name: 'floatData' | 'int32Data' | 'int64Data' | 'doubleData' | 'uint64Data';
  readonly id: number;
  readonly isVarint: boolean;
  /** Bytes of one number in memory. */
  readonly bytes: 4 | 8;
}

const floatData: TypedField = { name: 'floatData', id: 4, isVarint: false, bytes: 4 };
const int32Data: TypedField = { name: 'int32Data', id: 5, isVarint: true, bytes: 4 };
const int64Data: TypedField = { name: 'int64Data', id: 7, isVarint: true, bytes: 8 };
const doubleData: TypedField = { name: 'doubleData', id: 10, isVarint: false, bytes: 8 };
const uint64Data: TypedField = { name: 'uint64Data', id: 11, isVarint: true, bytes: 8 };

export function typedFieldOf(dataType: number): TypedField {
  switch (dataType) {
    case DataType.float32:
    case DataType.complex64:
      return floatData;
    case DataType.float64:
    case DataType.complex128:
      return doubleData;
    case DataType.int64:
      return int64Data;
    case DataType.uint64:
    case DataType.uint32:
      return uint64Data;
    default:
      return int32Data;
  }
}

/**
 * The encoded numbers of a field, one after the other: packed ones as they are, or single ones (which the decoder hands
 * over as unknown, as the schema declares the field packed) put together.
 */
export function encodedPayload(proto: TensorProto, field: TypedField): Uint8Array {
  const packed = (proto[field.name] ?? []).filter((chunk) => chunk.byteLength > 0);
  const single: Uint8Array[] = [];
  for (const unknown of unknownFields(proto)) {
    const cursor = new WireCursor(unknown);
    if (cursor.next() && cursor.fieldId === field.id && cursor.wireType !== WireType.bytes) {
      single.push(unknown.subarray(cursor.start, cursor.end));
    }
  }
  if (single.length > 0 && packed.length > 0) {
    throw new EdgepackError('model-invalid', 'holds packed and single numbers in one field', {
      location: { tensor: printable(proto.name ?? '') },
      hint: 'export the model again',
    });
  }
  const chunks = single.length > 0 ? single : packed;
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** Number of varints in a payload. */
export function varintCount(payload: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < payload.byteLength; i++) if (payload[i]! < 0x80) count++;
  return count;
}

/** Decodes `count` varints into pairs of 32-bit words, low word first. Bits beyond the 64th are dropped. */
export function decodeVarints(payload: Uint8Array, count: number): Uint32Array {
  const words = new Uint32Array(2 * count);
  let position = 0;
  for (let i = 0; i < count; i++) {
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = payload[position++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else if (shift < 64) high |= bits << (shift - 32);
      if (byte < 0x80) break;
    }
    words[2 * i] = low;
    words[2 * i + 1] = high;
  }
  return words;
}

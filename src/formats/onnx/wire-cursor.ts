import { EdgepackError } from '../../diagnostics/edgepack-error.ts';

/** Wire types of the protobuf encoding. */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** Groups (a form that ONNX never uses) may be nested this deep, like messages. */
const MAX_GROUP_DEPTH = 100;

/**
 * Walks over the fields of one protobuf message without decoding it (Protocol Buffers, "Encoding").
 * After `next()` returned true, `fieldId` and `wireType` describe the field and `start`, `end` are the range of its
 * payload; `value` is the number of a varint (exact below 2^53).
 */
export class WireCursor {
  readonly bytes: Uint8Array;
  readonly limit: number;
  fieldId = 0;
  wireType = 0;
  start: number;
  end: number;
  value = 0;

  constructor(bytes: Uint8Array, start = 0, limit = bytes.byteLength) {
    this.bytes = bytes;
    this.limit = limit;
    this.start = start;
    this.end = start;
  }

  /**
   * Moves to the next field; false at the end of the message.
   * @throws EdgepackError `model-unreadable` where the bytes are no protobuf message.
   */
  next(): boolean {
    if (this.end >= this.limit) return false;
    this.#tag(this.end);
    this.#payload(0);
    return true;
  }

  #tag(at: number): void {
    this.#varint(at);
    const tag = this.value;
    this.fieldId = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.fieldId === 0 || tag > 0xffffffff) throw damaged(at, 'has a field without a valid number');
  }

  /** Reads a varint at `at`; leaves `start` behind the tag, `end` behind the varint. */
  #varint(at: number): void {
    let value = 0;
    let scale = 1;
    for (let i = at; i < at + 10; i++) {
      if (i >= this.limit) throw damaged(at, 'ends in the middle of a number');
      const byte = this.bytes[i]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.start = at;
        this.end = i + 1;
        this.value = value;
        return;
      }
      scale *= 0x80;
    }
    throw damaged(at, 'has a number of more than ten bytes');
  }

  #payload(depth: number): void {
    const at = this.end;
    switch (this.wireType) {
      case WireType.varint:
        this.#varint(at);
        return;
      case WireType.fixed64:
        this.#range(at, at + 8);
        return;
      case WireType.fixed32:
        this.#range(at, at + 4);
        return;
      case WireType.bytes:
        this.#varint(at);
        this.#range(this.end, this.end + this.value);
        return;
      case WireType.startGroup:
        this.#group(at, depth);
        return;
      default:
        throw damaged(at, `has a field of the unknown kind ${this.wireType}`);
    }
  }

  #range(start: number, end: number): void {
    if (end > this.limit) throw damaged(start, `says that ${end - start} bytes follow where ${this.limit - start} do`);
    this.start = start;
    this.end = end;
  }

  #group(start: number, depth: number): void {
    if (depth >= MAX_GROUP_DEPTH) throw damaged(start, `is nested deeper than ${MAX_GROUP_DEPTH} levels`);
    const { fieldId } = this;
    for (;;) {
      if (this.end >= this.limit) throw damaged(start, 'has a group without an end');
      this.#tag(this.end);
      if (this.wireType === WireType.endGroup) break;
      this.#payload(depth + 1);
    }
    if (this.fieldId !== fieldId) throw damaged(start, 'has a group that another one ends');
    this.wireType = WireType.startGroup;
    this.start = start;
  }
}

function damaged(offset: number, reason: string): EdgepackError {
  return new EdgepackError('model-unreadable', `is not a readable ONNX model: ${reason} (at byte ${offset})`, {
    hint: 'check that the file is an ONNX model and was copied whole',
  });
}

import { CorruptStreamError } from './corrupt-stream-error.ts';

/** Reads what `ByteWriter` wrote; every read is checked against the end, and running past it is a `CorruptStreamError`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    if (this.remaining < 1) throw new CorruptStreamError('data ends in the middle of a field');
    return this.#bytes[this.#position++]!;
  }

  u32(): number {
    const b = this.bytes(4);
    return (b[0]! | (b[1]! << 8) | (b[2]! << 16) | (b[3]! << 24)) >>> 0;
  }

  /** A non-negative safe integer; `limit` is the largest value accepted. */
  varint(limit: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 127) * factor;
      if (byte < 128) {
        if (value > limit)
          throw new CorruptStreamError(`the number ${value} is larger than the ${limit} possible here`);
        if (byte === 0 && i > 0) throw new CorruptStreamError('a number is not in its shortest form');
        return value;
      }
      factor *= 128;
    }
    throw new CorruptStreamError('a number is longer than 8 bytes');
  }

  /** A view on the next `count` bytes. */
  bytes(count: number): Uint8Array {
    if (count > this.remaining) throw new CorruptStreamError('data ends in the middle of a field');
    this.#position += count;
    return this.#bytes.subarray(this.#position - count, this.#position);
  }

  /** All that is left, as a view. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }
}

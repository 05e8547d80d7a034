import { createHash } from 'node:crypto';

/**
 * Messages on a stream of bytes: length (uint32, little-endian), SHA-256 of length and message, message. A frame of length
 * 0 says that its sender is alive.
 */
const HEAD_BYTES = 36;
const LENGTH_BYTES = 4;
/** What a login shell may print before the agent speaks. */
const MAX_PREAMBLE_BYTES = 2 ** 18;
/** Outputs of one run at most. */
export const MAX_MESSAGE_BYTES = 2 ** 30;

export function encodeFrame(message: readonly Uint8Array[]): Uint8Array[] {
  const length = message.reduce((sum, piece) => sum + piece.length, 0);
  if (length > MAX_MESSAGE_BYTES) throw new RangeError('a message is too long to be sent');
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(length);
  const hash = createHash('sha256').update(head.subarray(0, LENGTH_BYTES));
  for (const piece of message) hash.update(piece);
  hash.digest().copy(head, LENGTH_BYTES);
  return [head, ...message];
}

/** Takes a stream apart. Nothing of a frame comes out before all of it is there and its checksum holds. */
export class FrameReader {
  readonly #start: Uint8Array;
  #hasBegun: boolean;
  #parts: Uint8Array[] = [];
  #length = 0;

  /** @param start what comes before the first frame, after anything else; empty where frames begin at once. */
  constructor(start: string) {
    this.#start = Buffer.from(start, 'latin1');
    this.#hasBegun = start === '';
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** The messages that these bytes complete. @throws RangeError where they are no frames, or damaged. */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    if (!this.#hasBegun) {
      const all = this.#join();
      const at = all.indexOf(this.#start);
      if (at < 0) {
        if (this.#length > MAX_PREAMBLE_BYTES) throw new RangeError('the other end says something else');
        return;
      }
      this.#hasBegun = true;
      this.#keep(all.subarray(at + this.#start.length));
    }
    while (this.#length >= HEAD_BYTES) {
      if (this.#parts[0]!.length < HEAD_BYTES) this.#join();
      const length = new DataView(this.#parts[0]!.buffer, this.#parts[0]!.byteOffset).getUint32(0, true);
      if (length > MAX_MESSAGE_BYTES) throw new RangeError('a message is too long, or damaged');
      if (this.#length < HEAD_BYTES + length) return;
      const all = this.#join();
      const message = all.subarray(HEAD_BYTES, HEAD_BYTES + length);
      const hash = createHash('sha256').update(all.subarray(0, LENGTH_BYTES)).update(message).digest();
      if (!hash.equals(all.subarray(LENGTH_BYTES, HEAD_BYTES))) throw new RangeError('a message is damaged');
      this.#keep(all.subarray(HEAD_BYTES + length));
      if (length > 0) yield message;
    }
  }

  #join(): Buffer {
    const all = Buffer.concat(this.#parts);
    this.#keep(all);
    return all;
  }

  #keep(rest: Uint8Array): void {
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
  }
}

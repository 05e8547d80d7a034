import type { BinaryCoder } from './binary-coder.ts';

/**
 * A carry-less binary arithmetic encoder: the interval [low, high] of 32-bit numbers is split in proportion to the probability of a
 * one, and leading bytes on which both ends agree are written. (Witten, Neal, Cleary 1987; the byte-wise form of M. Mahoney, 2002.)
 */
export class BinaryEncoder implements BinaryCoder {
  #bytes = new Uint8Array(1024);
  #length = 0;
  #low = 0;
  #high = 0xffffffff;

  /** Bytes written so far; up to 4 more are pending. */
  get length(): number {
    return this.#length;
  }

  /** Codes one bit; `probability` is that of a one, in (0, 65536). */
  code(bit: number, probability: number): number {
    const low = this.#low;
    const range = this.#high - low;
    const middle = low + Math.floor((range * probability) / 65536);
    if (bit) this.#high = middle;
    else this.#low = middle + 1;
    while (((this.#low ^ this.#high) & 0xff000000) === 0) {
      this.#write(this.#high >>> 24);
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
    }
    return bit;
  }

  #write(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length++] = byte;
  }

  /** Ends the code with the fewest bytes that, followed by zeros, lie in the interval; trailing zero bytes are left out. */
  finish(): Uint8Array {
    for (let shift = 32; shift >= 0; shift -= 8) {
      const unit = 2 ** shift;
      const value = Math.ceil(this.#low / unit) * unit;
      if (value > this.#high) continue;
      for (let s = 24; s >= shift; s -= 8) this.#write(Math.floor(value / 2 ** s) & 255);
      break;
    }
    while (this.#length > 0 && this.#bytes[this.#length - 1] === 0) this.#length--;
    return this.#bytes.slice(0, this.#length);
  }
}

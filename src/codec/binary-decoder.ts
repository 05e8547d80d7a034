import type { BinaryCoder } from './binary-coder.ts';

/** Reads what `BinaryEncoder` wrote, given the same probabilities. Past its end the code counts as zeros. */
export class BinaryDecoder implements BinaryCoder {
  readonly #bytes: Uint8Array;
  #position = 0;
  #low = 0;
  #high = 0xffffffff;
  #code = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    for (let i = 0; i < 4; i++) this.#code = ((this.#code << 8) | this.#next()) >>> 0;
  }

  #next(): number {
    return this.#position < this.#bytes.length ? this.#bytes[this.#position++]! : 0;
  }

  /** The next bit; `probability` is that of a one, in (0, 65536). The first argument is ignored. */
  code(_bit: number, probability: number): number {
    const low = this.#low;
    const range = this.#high - low;
    const middle = low + Math.floor((range * probability) / 65536);
    const bit = this.#code <= middle ? 1 : 0;
    if (bit) this.#high = middle;
    else this.#low = middle + 1;
    while (((this.#low ^ this.#high) & 0xff000000) === 0) {
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
      this.#code = ((this.#code << 8) | this.#next()) >>> 0;
    }
    return bit;
  }
}

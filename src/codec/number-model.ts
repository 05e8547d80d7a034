import type { BinaryCoder } from './binary-coder.ts';

const lengths = 33;
const nodes = lengths * 2;

/**
 * An adaptive model of unsigned 32-bit numbers, for side information: the bit length in unary, then the bit below the leading one, both
 * with adaptive probabilities per context, then the lower bits as they are.
 */
export class NumberModel {
  readonly #probability: Uint16Array;
  readonly #seen: Uint8Array;

  constructor(contexts: number) {
    this.#probability = new Uint16Array(contexts * nodes).fill(32768);
    this.#seen = new Uint8Array(contexts * nodes);
  }

  #bit(coder: BinaryCoder, bit: number, node: number): number {
    const p = this.#probability[node]!;
    const coded = coder.code(bit, p);
    const seen = this.#seen[node]!;
    const step = Math.trunc(((coded ? 65536 : 0) - p) / (seen + 2));
    this.#probability[node] = Math.min(65504, Math.max(32, p + step));
    if (seen < 30) this.#seen[node] = seen + 1;
    return coded;
  }

  /** Codes `value` (ignored by a decoder) and returns it. `maxBits` bounds the bit length, so that a forged code cannot exceed it. */
  code(coder: BinaryCoder, value: number, context: number, maxBits = 32): number {
    const base = context * nodes;
    const want = 32 - Math.clz32(value);
    let length = 0;
    while (length < maxBits && this.#bit(coder, want > length ? 1 : 0, base + length)) length++;
    if (length < 2) return length;
    let result = 1;
    for (let shift = length - 2; shift >= 0; shift--) {
      const bit = (value >>> shift) & 1;
      result =
        ((result << 1) |
          (shift === length - 2 ? this.#bit(coder, bit, base + lengths + length - 1) : coder.code(bit, 32768))) >>>
        0;
    }
    return result;
  }
}

import type { BinaryCoder } from './binary-coder.ts';

/** An adaptive order-0 model of symbols of a fixed number of bits: a binary tree of adaptive probabilities, highest bit first. */
export class TreeModel {
  readonly #bits: number;
  readonly #probability: Uint16Array;
  readonly #seen: Uint8Array;

  constructor(bits: number) {
    this.#bits = bits;
    this.#probability = new Uint16Array(1 << bits).fill(32768);
    this.#seen = new Uint8Array(1 << bits);
  }

  /** Codes `symbol` (ignored by a decoder) and returns it. */
  code(coder: BinaryCoder, symbol: number): number {
    let node = 1;
    for (let shift = this.#bits - 1; shift >= 0; shift--) {
      const p = this.#probability[node]!;
      const bit = coder.code((symbol >>> shift) & 1, p);
      const seen = this.#seen[node]!;
      const step = Math.trunc(((bit ? 65536 : 0) - p) / (seen + 2));
      this.#probability[node] = Math.min(65504, Math.max(32, p + step));
      if (seen < 60) this.#seen[node] = seen + 1;
      node = (node << 1) | bit;
    }
    return node - (1 << this.#bits);
  }
}

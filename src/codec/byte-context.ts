/** What is known of the place of the next byte beyond the bytes before it: extra contexts for the model of bytes. */
export interface ByteContext {
  /** One number per context, hashes of whatever predicts the next byte. */
  readonly contexts: Int32Array;
  /** Begins a part. */
  begin(): void;
  /** Moves past a byte. */
  append(byte: number): void;
}

/** How many contexts a `ByteContext` gives. */
export const byteContextCount = 4;

export function hashPair(a: number, b: number): number {
  let h = Math.imul(a, 0x85ebca6b) ^ Math.imul(b + 0x3c6ef372, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x27d4eb2f);
  return h ^ (h >>> 13);
}

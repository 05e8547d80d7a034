/**
 * One step of binary arithmetic coding, in either direction: an encoder writes `bit` and returns it, a decoder ignores `bit` and returns
 * the one it read. A model written against this interface is its own inverse, so that both directions cannot drift apart.
 */
export interface BinaryCoder {
  /** `probability` is that of a one, an integer in (0, 65536). */
  code(bit: number, probability: number): number;
}

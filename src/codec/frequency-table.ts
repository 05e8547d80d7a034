import type { BinaryCoder } from './binary-coder.ts';
import { CorruptStreamError } from './corrupt-stream-error.ts';
import { NumberModel } from './number-model.ts';

/** Scales weights to frequencies that sum to 2^tableLog, each symbol of positive weight getting at least 1; at most 2^tableLog symbols. */
export function normalizeFrequencies(weights: Uint32Array, tableLog: number): Uint16Array {
  const target = 1 << tableLog;
  let total = 0;
  for (let s = 0; s < 256; s++) total += weights[s]!;
  if (total === 0) throw new CorruptStreamError('a frequency table is empty');
  const frequencies = new Uint16Array(256);
  let sum = 0;
  let largest = 0;
  for (let s = 0; s < 256; s++) {
    const weight = weights[s]!;
    if (weight === 0) continue;
    const f = Math.max(1, Math.floor((weight * target) / total + 0.5));
    frequencies[s] = f;
    sum += f;
    if (f > frequencies[largest]!) largest = s;
  }
  while (sum > target) {
    // Raised rare symbols: take the excess from the most frequent ones, which lose least by it.
    let most = 0;
    for (let s = 1; s < 256; s++) if (frequencies[s]! > frequencies[most]!) most = s;
    const cut = Math.min(sum - target, Math.max(1, frequencies[most]! >> 4));
    frequencies[most] = frequencies[most]! - cut;
    sum -= cut;
  }
  if (sum < target) frequencies[largest] = frequencies[largest]! + (target - sum);
  return frequencies;
}

/** Rounds a count to `precision` bits below its leading one. */
function roundCount(count: number, precision: number): number {
  const drop = 31 - Math.clz32(count) - precision;
  if (drop <= 0) return count;
  return Math.floor((count + 2 ** (drop - 1)) / 2 ** drop) * 2 ** drop;
}

/** The precision at which one bit more per symbol would cost more than it saves (relative error e costs about e²/2 nats a symbol). */
function choosePrecision(total: number, symbols: number): number {
  let precision = 0;
  while (precision < 7 && total * 0.0217 * 4 ** -precision > symbols) precision++;
  return precision;
}

/**
 * Codes the frequency tables of one stream. A count is sent as its bit length, relative to what the neighbouring symbols and the previous
 * table suggest, and as many bits below the leading one as the number of symbols deserves.
 */
export class FrequencyTableCoder {
  readonly #lengths = new NumberModel(4);
  readonly #precision = new NumberModel(1);
  #previous: Uint8Array | undefined;

  /** Codes `counts` (ignored by a decoder) and returns them as rounded by the coder: what both sides then normalize. */
  code(coder: BinaryCoder, counts: Uint32Array): Uint32Array {
    let total = 0;
    let symbols = 0;
    for (let s = 0; s < 256; s++) {
      total += counts[s]!;
      if (counts[s]! > 0) symbols++;
    }
    const precision = this.#precision.code(coder, choosePrecision(total, symbols), 0, 3);
    const previous = this.#previous;
    const lengths = new Uint8Array(256);
    const rounded = new Uint32Array(256);
    for (let s = 0; s < 256; s++) {
      const a = s > 0 ? lengths[s - 1]! : 0;
      const b = s > 1 ? lengths[s - 2]! : a;
      let expected = (2 * a + b + 1) / 3;
      if (previous !== undefined) {
        const pa = s > 0 ? previous[s - 1]! : 0;
        const pb = s > 1 ? previous[s - 2]! : pa;
        expected = (expected + previous[s]! + (a - pa + b - pb) / 2) / 2;
      }
      const guess = Math.max(0, Math.min(31, Math.floor(expected)));
      const context = (guess === 0 ? 0 : 1) + (previous === undefined ? 0 : 2);
      const value = counts[s]! === 0 ? 0 : roundCount(counts[s]!, precision);
      const length = 32 - Math.clz32(value);
      const difference = length - guess;
      const folded = this.#lengths.code(coder, difference < 0 ? -2 * difference - 1 : 2 * difference, context, 6);
      const got = guess + (folded & 1 ? -(folded + 1) / 2 : folded / 2);
      if (got < 0 || got > 32) throw new CorruptStreamError('a frequency table holds an impossible count');
      lengths[s] = got;
      let bits = got === 0 ? 0 : 1;
      for (let k = 1; k < got; k++) {
        const bit = k <= precision ? coder.code((value >>> (got - 1 - k)) & 1, 32768) : 0;
        bits = ((bits << 1) | bit) >>> 0;
      }
      rounded[s] = bits;
    }
    this.#previous = lengths;
    return rounded;
  }
}

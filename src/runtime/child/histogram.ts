import type { PackedHistogram } from '../statistics.ts';

const binCount = 1 << 16;
const counterLimit = 0xffffffff;
const firstNonFinite = 0x7f80;
const signBit = 0x8000;

/**
 * Counts float32 values by the upper 16 bits of their patterns: one pass, no range needed, one table lookup per value.
 * Wider and narrower types are rounded to float32 first.
 */
export class HistogramAccumulator {
  readonly #stride: number;
  readonly #counters = new Uint32Array(binCount);
  /** Sum of the counters, as an upper bound of each. */
  #inCounters = 0;
  /** Where the counters go before they could overflow. */
  #spilled: Float64Array | undefined;
  #phase = 0;

  constructor(options: { readonly stride?: number }) {
    this.#stride = Math.max(1, Math.trunc(options.stride ?? 1));
  }

  add(values: Float32Array | Float64Array): void {
    const floats = values instanceof Float32Array ? values : Float32Array.from(values);
    if (this.#inCounters + floats.length > counterLimit) this.#spill();
    this.#inCounters += floats.length;
    // Little-endian, as every platform of the engine: the upper half of element i is at 2 i + 1.
    const halves = new Uint16Array(floats.buffer, floats.byteOffset, floats.length * 2);
    const counters = this.#counters;
    const step = 2 * this.#stride;
    for (let i = 2 * this.#phase + 1; i < halves.length; i += step) counters[halves[i]!]!++;
    this.#phase = (this.#phase + 1) % this.#stride;
  }

  #spill(): void {
    this.#spilled ??= new Float64Array(binCount);
    for (let bin = 0; bin < binCount; bin++) this.#spilled[bin]! += this.#counters[bin]!;
    this.#counters.fill(0);
    this.#inCounters = 0;
  }

  result(): PackedHistogram {
    const counters = this.#counters;
    const spilled = this.#spilled;
    const bins: number[] = [];
    const counts: number[] = [];
    let nonFiniteCount = 0;
    const countOf = (bin: number) => counters[bin]! + (spilled === undefined ? 0 : spilled[bin]!);
    const list = (bin: number) => {
      const count = countOf(bin);
      if (count === 0) return;
      bins.push(bin);
      counts.push(count);
    };
    for (let pattern = firstNonFinite; pattern < signBit; pattern++) {
      nonFiniteCount += countOf(pattern) + countOf(pattern | signBit);
    }
    for (let pattern = firstNonFinite - 1; pattern >= 0; pattern--) list(pattern | signBit);
    for (let pattern = 0; pattern < firstNonFinite; pattern++) list(pattern);
    return { bins: Uint16Array.from(bins), counts: Float64Array.from(counts), nonFiniteCount };
  }
}

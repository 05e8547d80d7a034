import type { MomentStatistics } from '../statistics.ts';
import { channelLayout, requireChannels } from './channel-layout.ts';

/** Count, sum and sum of squares per channel, in float64. */
export class MomentAccumulator {
  readonly #axis: number | undefined;
  #count = 0;
  #sum = new Float64Array(0);
  #sumOfSquares = new Float64Array(0);

  constructor(options: { readonly axis?: number }) {
    this.#axis = options.axis;
  }

  add(values: Float32Array | Float64Array, dims: readonly number[]): void {
    if (values.length === 0) return;
    const { outer, channels, inner } = channelLayout(dims, this.#axis);
    if (this.#count === 0) {
      this.#sum = new Float64Array(channels);
      this.#sumOfSquares = new Float64Array(channels);
    }
    requireChannels(this.#sum.length, channels);
    this.#count += outer * inner;
    let i = 0;
    for (let block = 0; block < outer; block++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let sumOfSquares = 0;
        for (const end = i + inner; i < end; i++) {
          const value = values[i]!;
          sum += value;
          sumOfSquares += value * value;
        }
        this.#sum[channel]! += sum;
        this.#sumOfSquares[channel]! += sumOfSquares;
      }
    }
  }

  result(): MomentStatistics {
    return { count: this.#count, sum: this.#sum, sumOfSquares: this.#sumOfSquares };
  }
}

import type { MinMaxStatistics } from '../statistics.ts';
import { channelLayout, requireChannels } from './channel-layout.ts';

/** Running minimum and maximum per channel, and the means of each run's extremes. NaN is counted and left out. */
export class MinMaxAccumulator {
  readonly #axis: number | undefined;
  #min = new Float64Array(0);
  #max = new Float64Array(0);
  #sumOfMins = new Float64Array(0);
  #sumOfMaxes = new Float64Array(0);
  #runs = 0;
  #nanCount = 0;

  constructor(options: { readonly axis?: number }) {
    this.#axis = options.axis;
  }

  add(values: Float32Array | Float64Array, dims: readonly number[]): void {
    if (values.length === 0) return;
    const { outer, channels, inner } = channelLayout(dims, this.#axis);
    if (this.#runs === 0) {
      this.#min = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
      this.#max = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY);
      this.#sumOfMins = new Float64Array(channels);
      this.#sumOfMaxes = new Float64Array(channels);
    }
    requireChannels(this.#min.length, channels);
    for (let channel = 0; channel < channels; channel++) {
      let low = Number.POSITIVE_INFINITY;
      let high = Number.NEGATIVE_INFINITY;
      for (let block = 0; block < outer; block++) {
        const start = (block * channels + channel) * inner;
        for (let i = start; i < start + inner; i++) {
          const value = values[i]!;
          if (value > high) high = value;
          if (!(value >= low)) {
            if (value < low) low = value;
            else this.#nanCount++;
          }
        }
      }
      this.#min[channel] = Math.min(this.#min[channel]!, low);
      this.#max[channel] = Math.max(this.#max[channel]!, high);
      this.#sumOfMins[channel]! += low;
      this.#sumOfMaxes[channel]! += high;
    }
    this.#runs++;
  }

  result(): MinMaxStatistics {
    const mean = (sum: number) => sum / this.#runs;
    return {
      min: this.#min,
      max: this.#max,
      meanMin: this.#sumOfMins.map(mean),
      meanMax: this.#sumOfMaxes.map(mean),
      runs: this.#runs,
      nanCount: this.#nanCount,
    };
  }
}

import type { GramStatistics } from '../statistics.ts';
import { channelLayout, requireChannels } from './channel-layout.ts';
import { ReportedFailure } from './reported-failure.ts';

const maxSize = 2048;

/** xᵀx over rows of K values, in float64; the upper triangle is computed and mirrored. */
export class GramAccumulator {
  readonly #axis: number;
  #rows = 0;
  #size = 0;
  #upper = new Float64Array(0);

  constructor(options: { readonly axis?: number }) {
    this.#axis = options.axis ?? -1;
  }

  add(values: Float32Array | Float64Array, dims: readonly number[]): void {
    if (values.length === 0) return;
    const { outer, channels, inner } = channelLayout(dims, this.#axis);
    if (channels > maxSize) {
      throw new ReportedFailure(
        'engine-failed',
        `a gram matrix of ${channels} channels is above the limit of ${maxSize}`,
      );
    }
    if (this.#rows === 0) {
      this.#size = channels;
      this.#upper = new Float64Array(channels * channels);
    }
    requireChannels(this.#size, channels);
    const row = new Float64Array(channels);
    for (let block = 0; block < outer; block++) {
      for (let position = 0; position < inner; position++) {
        const start = block * channels * inner + position;
        for (let channel = 0; channel < channels; channel++) row[channel] = values[start + channel * inner]!;
        this.#addRow(row);
      }
    }
    this.#rows += outer * inner;
  }

  #addRow(row: Float64Array): void {
    const upper = this.#upper;
    const size = row.length;
    for (let i = 0; i < size; i++) {
      const factor = row[i]!;
      if (factor === 0) continue;
      const offset = i * size;
      for (let j = i; j < size; j++) upper[offset + j]! += factor * row[j]!;
    }
  }

  result(): GramStatistics {
    const size = this.#size;
    const matrix = this.#upper;
    for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) matrix[i * size + j] = matrix[j * size + i]!;
    return { rows: this.#rows, matrix, size };
  }
}

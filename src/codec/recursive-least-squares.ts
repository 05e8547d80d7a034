/** A linear predictor that after each sample has the weights which would have been best for all samples so far (RLS, forgetting slowly). */
export class RecursiveLeastSquares {
  readonly size: number;
  readonly #weights: Float64Array;
  readonly #inverse: Float64Array;
  readonly #gain: Float64Array;

  constructor(size: number) {
    this.size = size;
    this.#weights = new Float64Array(size);
    this.#gain = new Float64Array(size);
    this.#inverse = new Float64Array(size * size);
    this.#reset();
  }

  #reset(): void {
    this.#inverse.fill(0);
    for (let i = 0; i < this.size; i++) this.#inverse[i * this.size + i] = 1;
  }

  predict(inputs: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < this.size; i++) sum += this.#weights[i]! * inputs[i]!;
    return sum;
  }

  /** Learns that `inputs` were followed by what `predict` said plus `error`. */
  update(inputs: Float64Array, error: number): void {
    const n = this.size;
    const inverse = this.#inverse;
    const gain = this.#gain;
    const forget = 0.9997;
    let denominator = forget;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += inverse[i * n + j]! * inputs[j]!;
      gain[i] = sum;
      denominator += sum * inputs[i]!;
    }
    let largest = 0;
    for (let i = 0; i < n; i++) {
      const g = gain[i]! / denominator;
      this.#weights[i] = this.#weights[i]! + g * error;
      for (let j = 0; j < n; j++) inverse[i * n + j] = (inverse[i * n + j]! - g * gain[j]!) / forget;
      const variance = inverse[i * n + i]!;
      largest = variance > 0 ? Math.max(largest, variance) : Number.POSITIVE_INFINITY;
    }
    // Inputs that never vary let the inverse grow without bound, and rounding may make it indefinite: then begin it anew.
    if (!(largest < 1e6)) this.#reset();
  }
}

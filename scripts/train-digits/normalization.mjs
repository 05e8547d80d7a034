import { inner } from './bordered-plane.mjs';
import { Parameter } from './parameter.mjs';

/** Batch normalization over the inner pixels of each channel (Ioffe and Szegedy 2015), with running mean and variance. */
export class BatchNorm {
  constructor(channels, side) {
    Object.assign(this, { channels, side, epsilon: 1e-5, momentum: 0.05 });
    this.scale = Parameter.filled(channels, 1);
    this.bias = Parameter.filled(channels, 0);
    this.mean = new Float32Array(channels);
    this.variance = new Float32Array(channels).fill(1);
    this.parameters = [this.scale, this.bias];
  }

  forward(x, n, training) {
    const y = new Float32Array(x.length);
    this.normalized = new Float32Array(x.length);
    this.inverse = new Float32Array(this.channels);
    for (let c = 0; c < this.channels; c++) {
      const rows = this.#rows(n, c);
      if (training) this.#measure(x, rows, c);
      const mean = training ? this.batchMean : this.mean[c];
      const inverse = 1 / Math.sqrt((training ? this.batchVariance : this.variance[c]) + this.epsilon);
      const scale = this.scale.values[c];
      const bias = this.bias.values[c];
      this.inverse[c] = inverse;
      for (const row of rows) {
        for (let i = row; i < row + this.side; i++) {
          const normalized = (x[i] - mean) * inverse;
          this.normalized[i] = normalized;
          y[i] = normalized * scale + bias;
        }
      }
    }
    return y;
  }

  backward(error, n) {
    const back = new Float32Array(error.length);
    const count = n * this.side * this.side;
    for (let c = 0; c < this.channels; c++) {
      const rows = this.#rows(n, c);
      let sum = 0;
      let product = 0;
      for (const row of rows) {
        for (let i = row; i < row + this.side; i++) {
          sum += error[i];
          product += error[i] * this.normalized[i];
        }
      }
      this.bias.gradient[c] += sum;
      this.scale.gradient[c] += product;
      const factor = (this.scale.values[c] * this.inverse[c]) / count;
      for (const row of rows) {
        for (let i = row; i < row + this.side; i++) {
          back[i] = factor * (count * error[i] - sum - this.normalized[i] * product);
        }
      }
    }
    return back;
  }

  /** Where the inner rows of a channel start, over all samples of a batch. */
  #rows(n, channel) {
    const { width, plane, start } = inner(this.side);
    const rows = new Int32Array(n * this.side);
    for (let s = 0, r = 0; s < n; s++) {
      for (let y = 0; y < this.side; y++) rows[r++] = (s * this.channels + channel) * plane + start + y * width;
    }
    return rows;
  }

  /** Mean and variance of a channel over the batch, which also move the running ones. */
  #measure(x, rows, channel) {
    const count = rows.length * this.side;
    let sum = 0;
    let squares = 0;
    for (const row of rows) {
      for (let i = row; i < row + this.side; i++) {
        sum += x[i];
        squares += x[i] * x[i];
      }
    }
    this.batchMean = sum / count;
    this.batchVariance = Math.max(0, squares / count - this.batchMean * this.batchMean);
    this.mean[channel] += this.momentum * (this.batchMean - this.mean[channel]);
    this.variance[channel] += this.momentum * ((this.batchVariance * count) / (count - 1) - this.variance[channel]);
  }
}

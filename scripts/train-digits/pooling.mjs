import { inner } from './bordered-plane.mjs';

/** 2 x 2 maximum with stride 2; the result is bordered again. */
export class MaxPool {
  parameters = [];

  constructor(channels, side) {
    Object.assign(this, { channels, side });
  }

  forward(x, n) {
    const from = inner(this.side);
    const to = inner(this.side / 2);
    const y = new Float32Array(n * this.channels * to.plane);
    this.winner = new Int32Array(y.length).fill(-1);
    for (let p = 0; p < n * this.channels; p++) {
      for (let row = 0; row < this.side / 2; row++) {
        for (let column = 0; column < this.side / 2; column++) {
          const corner = p * from.plane + from.start + 2 * row * from.width + 2 * column;
          let best = corner;
          for (const i of [corner + 1, corner + from.width, corner + from.width + 1]) if (x[i] > x[best]) best = i;
          const at = p * to.plane + to.start + row * to.width + column;
          y[at] = x[best];
          this.winner[at] = best;
        }
      }
    }
    this.size = x.length;
    return y;
  }

  backward(error) {
    const back = new Float32Array(this.size);
    for (let i = 0; i < error.length; i++) if (this.winner[i] >= 0) back[this.winner[i]] += error[i];
    return back;
  }
}

/** Takes the borders off: [sample, channel * side * side]. */
export class Flatten {
  parameters = [];

  constructor(channels, side) {
    Object.assign(this, { channels, side });
  }

  #copy(n, visit) {
    const { width, plane, start } = inner(this.side);
    let flat = 0;
    for (let p = 0; p < n * this.channels; p++) {
      for (let y = 0; y < this.side; y++) {
        for (let x = 0; x < this.side; x++) visit(flat++, p * plane + start + y * width + x);
      }
    }
  }

  forward(x, n) {
    const y = new Float32Array(n * this.channels * this.side * this.side);
    this.#copy(n, (flat, bordered) => {
      y[flat] = x[bordered];
    });
    return y;
  }

  backward(error, n) {
    const back = new Float32Array(n * this.channels * inner(this.side).plane);
    this.#copy(n, (flat, bordered) => {
      back[bordered] = error[flat];
    });
    return back;
  }
}

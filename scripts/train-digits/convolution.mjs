import { clearBorder, inner } from './bordered-plane.mjs';
import { Parameter } from './parameter.mjs';

/** out += in (*) k for one plane; `flip` turns the kernel by 180 degrees, as the gradient asks. */
function correlate(input, from, output, to, kernel, at, side, flip) {
  const { width, start, length } = inner(side);
  const tap = (i) => kernel[at + (flip ? 8 - i : i)];
  const [k0, k1, k2, k3, k4, k5, k6, k7, k8] = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(tap);
  const last = start + length;
  for (let i = start; i < last; i++) {
    const s = from + i;
    output[to + i] +=
      k0 * input[s - width - 1] +
      k1 * input[s - width] +
      k2 * input[s - width + 1] +
      k3 * input[s - 1] +
      k4 * input[s] +
      k5 * input[s + 1] +
      k6 * input[s + width - 1] +
      k7 * input[s + width] +
      k8 * input[s + width + 1];
  }
}

/** Adds the gradient of one 3 x 3 kernel. */
function correlateGradient(input, from, error, to, gradient, at, side) {
  const { width, start, length } = inner(side);
  const last = start + length;
  let [g0, g1, g2, g3, g4, g5, g6, g7, g8] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = start; i < last; i++) {
    const e = error[to + i];
    const s = from + i;
    g0 += e * input[s - width - 1];
    g1 += e * input[s - width];
    g2 += e * input[s - width + 1];
    g3 += e * input[s - 1];
    g4 += e * input[s];
    g5 += e * input[s + 1];
    g6 += e * input[s + width - 1];
    g7 += e * input[s + width];
    g8 += e * input[s + width + 1];
  }
  [g0, g1, g2, g3, g4, g5, g6, g7, g8].forEach((g, k) => {
    gradient[at + k] += g;
  });
}

/** 3 x 3 convolution, padding 1, no bias: weights [out, in, 3, 3]; `depthwise` has one input plane per output plane. */
export class Conv3x3 {
  constructor(inputs, outputs, side, random, depthwise = false) {
    Object.assign(this, { inputs, outputs, side, depthwise });
    const fanIn = (depthwise ? 1 : inputs) * 9;
    this.weight = Parameter.he(outputs * fanIn, fanIn, random);
    this.parameters = [this.weight];
  }

  #pairs(visit) {
    for (let o = 0; o < this.outputs; o++) {
      if (this.depthwise) visit(o, o, o * 9);
      else for (let i = 0; i < this.inputs; i++) visit(i, o, (o * this.inputs + i) * 9);
    }
  }

  forward(x, n) {
    this.x = x;
    const { plane } = inner(this.side);
    const y = new Float32Array(n * this.outputs * plane);
    for (let s = 0; s < n; s++) {
      this.#pairs((i, o, at) => {
        const from = (s * this.inputs + i) * plane;
        correlate(x, from, y, (s * this.outputs + o) * plane, this.weight.values, at, this.side, false);
      });
    }
    clearBorder(y, n * this.outputs, this.side);
    return y;
  }

  backward(error, n, wantsInput = true) {
    const { plane } = inner(this.side);
    const back = wantsInput ? new Float32Array(n * this.inputs * plane) : undefined;
    for (let s = 0; s < n; s++) {
      this.#pairs((i, o, at) => {
        const from = (s * this.inputs + i) * plane;
        const to = (s * this.outputs + o) * plane;
        correlateGradient(this.x, from, error, to, this.weight.gradient, at, this.side);
        if (back) correlate(error, to, back, from, this.weight.values, at, this.side, true);
      });
    }
    if (back) clearBorder(back, n * this.inputs, this.side);
    return back;
  }
}

/** 1 x 1 convolution, no bias: weights [out, in]. */
export class Conv1x1 {
  constructor(inputs, outputs, side, random) {
    Object.assign(this, { inputs, outputs, side });
    this.weight = Parameter.he(outputs * inputs, inputs, random);
    this.parameters = [this.weight];
  }

  forward(x, n) {
    this.x = x;
    const { plane } = inner(this.side);
    const y = new Float32Array(n * this.outputs * plane);
    for (let s = 0; s < n; s++) {
      for (let o = 0; o < this.outputs; o++) {
        const to = (s * this.outputs + o) * plane;
        for (let i = 0; i < this.inputs; i++) {
          const from = (s * this.inputs + i) * plane;
          const w = this.weight.values[o * this.inputs + i];
          for (let p = 0; p < plane; p++) y[to + p] += w * x[from + p];
        }
      }
    }
    return y;
  }

  backward(error, n) {
    const { plane } = inner(this.side);
    const back = new Float32Array(n * this.inputs * plane);
    for (let s = 0; s < n; s++) {
      for (let o = 0; o < this.outputs; o++) {
        const to = (s * this.outputs + o) * plane;
        for (let i = 0; i < this.inputs; i++) {
          const from = (s * this.inputs + i) * plane;
          const w = this.weight.values[o * this.inputs + i];
          let sum = 0;
          for (let p = 0; p < plane; p++) {
            const e = error[to + p];
            sum += e * this.x[from + p];
            back[from + p] += w * e;
          }
          this.weight.gradient[o * this.inputs + i] += sum;
        }
      }
    }
    return back;
  }
}

import { Parameter } from './parameter.mjs';

export class Relu {
  parameters = [];

  forward(x) {
    const y = new Float32Array(x.length);
    for (let i = 0; i < y.length; i++) if (x[i] > 0) y[i] = x[i];
    this.y = y;
    return y;
  }

  backward(error) {
    const back = new Float32Array(error.length);
    for (let i = 0; i < back.length; i++) if (this.y[i] > 0) back[i] = error[i];
    return back;
  }
}

/** Fully connected: weights [in, out] (so that zero inputs, most of a digit, are skipped), bias [out]. */
export class Dense {
  constructor(inputs, outputs, random) {
    Object.assign(this, { inputs, outputs });
    this.weight = Parameter.he(inputs * outputs, inputs, random);
    this.bias = Parameter.filled(outputs, 0);
    this.parameters = [this.weight, this.bias];
  }

  forward(x, n) {
    this.x = x;
    const { inputs, outputs } = this;
    const w = this.weight.values;
    const y = new Float32Array(n * outputs);
    for (let s = 0; s < n; s++) {
      const to = s * outputs;
      for (let o = 0; o < outputs; o++) y[to + o] = this.bias.values[o];
      for (let i = 0; i < inputs; i++) {
        const v = x[s * inputs + i];
        if (v === 0) continue;
        for (let o = 0; o < outputs; o++) y[to + o] += v * w[i * outputs + o];
      }
    }
    return y;
  }

  backward(error, n, wantsInput = true) {
    const { inputs, outputs } = this;
    const w = this.weight.values;
    const dw = this.weight.gradient;
    const back = wantsInput ? new Float32Array(n * inputs) : undefined;
    for (let s = 0; s < n; s++) {
      const from = s * outputs;
      for (let o = 0; o < outputs; o++) this.bias.gradient[o] += error[from + o];
      for (let i = 0; i < inputs; i++) {
        const v = this.x[s * inputs + i];
        if (v !== 0) for (let o = 0; o < outputs; o++) dw[i * outputs + o] += v * error[from + o];
        if (back) {
          let sum = 0;
          for (let o = 0; o < outputs; o++) sum += w[i * outputs + o] * error[from + o];
          back[s * inputs + i] = sum;
        }
      }
    }
    return back;
  }
}

/** Inverted dropout: survivors are scaled up in training, nothing happens in inference. */
export class Dropout {
  parameters = [];

  constructor(ratio, random) {
    Object.assign(this, { ratio, random });
  }

  forward(x, _n, training) {
    this.mask = undefined;
    if (!training) return x;
    this.mask = x.map(() => (this.random.uniform() < this.ratio ? 0 : 1 / (1 - this.ratio)));
    return x.map((v, i) => v * this.mask[i]);
  }

  backward(error) {
    return error.map((e, i) => e * this.mask[i]);
  }
}

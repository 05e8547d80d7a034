import { drawDigit, PIXELS, SIDE } from './digits.mjs';

/** Layers one after the other, trained with Adam (Kingma and Ba 2015) on the cross entropy of a softmax. */
export class Network {
  /**
   * @param layers the layers, forward and backward over a batch
   * @param bordered true where the first layer takes planes with a border
   */
  constructor(layers, bordered) {
    this.layers = layers;
    this.bordered = bordered;
    this.parameters = layers.flatMap((layer) => layer.parameters);
    this.steps = 0;
  }

  /** Scores before the softmax, [digits, 10]. */
  scores(digits, { training = false, random } = {}) {
    const stride = this.bordered ? SIDE + 2 : SIDE;
    const size = this.bordered ? stride * stride : PIXELS;
    let x = new Float32Array(digits.length * size);
    digits.forEach((digit, s) => {
      drawDigit(digit, x, s * size + (this.bordered ? stride + 1 : 0), stride, random);
    });
    for (const layer of this.layers) x = layer.forward(x, digits.length, training);
    return x;
  }

  /** One step of Adam on a batch. */
  step(digits, learningRate, random) {
    const error = this.scores(digits, { training: true, random });
    softmaxError(error, digits);
    let back = error;
    this.layers.toReversed().forEach((layer, i) => {
      back = layer.backward(back, digits.length, i < this.layers.length - 1);
    });
    this.steps++;
    const rate = (learningRate * Math.sqrt(1 - 0.999 ** this.steps)) / (1 - 0.9 ** this.steps);
    for (const { values, gradient, first, second } of this.parameters) {
      for (let i = 0; i < values.length; i++) {
        const g = gradient[i];
        first[i] += 0.1 * (g - first[i]);
        second[i] += 0.001 * (g * g - second[i]);
        values[i] -= (rate * first[i]) / (Math.sqrt(second[i]) + 1e-8);
      }
      gradient.fill(0);
    }
  }

  /** Epochs over the digits in batches of 32, the learning rate falling from `learningRate` to zero as a half cosine. */
  train(digits, { epochs, learningRate, random, onEpoch }) {
    const batch = 32;
    const perEpoch = Math.floor(digits.length / batch);
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = random.shuffle([...digits]);
      for (let b = 0; b < perEpoch; b++) {
        const progress = (epoch * perEpoch + b) / (epochs * perEpoch);
        const rate = learningRate * 0.5 * (1 + Math.cos(Math.PI * progress));
        this.step(order.slice(b * batch, (b + 1) * batch), rate, random);
      }
      onEpoch?.(epoch);
    }
  }

  /** How many of the digits get their own class. */
  countCorrect(digits) {
    let correct = 0;
    for (let start = 0; start < digits.length; start += 100) {
      const batch = digits.slice(start, start + 100);
      const scores = this.scores(batch);
      batch.forEach(({ label }, s) => {
        const row = scores.subarray(s * 10, s * 10 + 10);
        if (row.indexOf(Math.max(...row)) === label) correct++;
      });
    }
    return correct;
  }
}

/** Turns scores into the gradient of the mean cross entropy, in place. */
function softmaxError(scores, digits) {
  digits.forEach(({ label }, s) => {
    const row = scores.subarray(s * 10, s * 10 + 10);
    const largest = Math.max(...row);
    let sum = 0;
    for (let i = 0; i < 10; i++) {
      row[i] = Math.exp(row[i] - largest);
      sum += row[i];
    }
    for (let i = 0; i < 10; i++) row[i] = (row[i] / sum - (i === label ? 1 : 0)) / digits.length;
  });
}

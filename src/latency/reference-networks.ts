import { Model } from '../ir/model.ts';
import { attr } from '../ir/node.ts';
import { tensorType } from '../ir/types.ts';
import type { Value } from '../ir/value.ts';
import { seededRandom } from '../runtime/seeded-random.ts';
import { DataType } from '../tensor/data-type.ts';
import { Tensor } from '../tensor/tensor.ts';

/** Networks that are timed on a board to calibrate its profile: small, made of code, each heavy in one kind of layer. */
export const referenceNetworkNames = ['products-1x1', 'products-3x3', 'depthwise', 'fully-connected', 'mixed'] as const;

export type ReferenceNetworkName = (typeof referenceNetworkNames)[number];

/**
 * One reference network, the same bytes on every machine: weights are drawn with a fixed seed and scaled so that values
 * neither die nor grow (He et al., 2015). Input `x`, 1×3×size×size or 1×1024; output `y`.
 */
export function referenceNetwork(name: ReferenceNetworkName): Model {
  const build = new Builder(referenceNetworkNames.indexOf(name) + 1);
  switch (name) {
    case 'products-1x1': {
      let x = build.conv(build.image(96), 32, 3, 2);
      for (const channels of [64, 128, 128, 256]) x = build.conv(x, channels, 1, 1);
      x = build.depthwise(x, 3, 2);
      for (const channels of [256, 512, 256, 512]) x = build.conv(x, channels, 1, 1);
      return build.classifier(x, 100);
    }
    case 'products-3x3': {
      let x = build.conv(build.image(112), 32, 3, 2);
      for (const channels of [32, 64, 64]) x = build.conv(x, channels, 3, 1);
      x = build.conv(x, 128, 3, 2);
      for (const channels of [128, 128, 128]) x = build.conv(x, channels, 3, 1);
      return build.classifier(x, 100);
    }
    case 'depthwise': {
      let x = build.conv(build.image(160), 48, 3, 2);
      for (let i = 0; i < 6; i++) x = build.depthwise(x, i % 2 === 0 ? 3 : 5, 1);
      x = build.conv(x, 64, 1, 1);
      for (let i = 0; i < 6; i++) x = build.depthwise(x, 3, i === 2 ? 2 : 1);
      return build.classifier(x, 100);
    }
    case 'fully-connected': {
      let x = build.input([1, 1024]);
      for (const width of [1536, 1536, 1024]) x = build.relu(build.dense(x, width));
      return build.finish(build.dense(x, 100));
    }
    case 'mixed': {
      let x = build.conv(build.image(112), 24, 3, 2);
      x = build.bottleneck(x, 24, 1);
      x = build.bottleneck(x, 40, 2);
      x = build.bottleneck(x, 40, 1);
      x = build.bottleneck(x, 80, 2);
      x = build.swish(build.conv(x, 128, 3, 1));
      x = build.bottleneck(x, 128, 1);
      return build.classifier(x, 200);
    }
  }
}

/** A value with the sizes that the next layer needs. */
interface Feature {
  readonly value: Value;
  readonly channels: number;
}

class Builder {
  readonly #model = Model.create(13, 7, 'edgepack-reference');
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  input(shape: readonly number[]): Feature {
    return { value: this.#model.graph.addInput('x', tensorType(DataType.float32, shape)), channels: shape[1]! };
  }

  image(size: number): Feature {
    return this.input([1, 3, size, size]);
  }

  conv(x: Feature, channels: number, kernel: number, stride: number): Feature {
    return this.relu({ value: this.#convolve(x, channels, kernel, stride, 1), channels });
  }

  depthwise(x: Feature, kernel: number, stride: number): Feature {
    return this.relu({ value: this.#convolve(x, x.channels, kernel, stride, x.channels), channels: x.channels });
  }

  /** Expansion, depthwise, projection, and the sum with the input where the sizes allow it. */
  bottleneck(x: Feature, channels: number, stride: number): Feature {
    const wide = this.depthwise(this.conv(x, 4 * x.channels, 1, 1), 3, stride);
    const value = this.#convolve(wide, channels, 1, 1, 1);
    if (stride !== 1 || channels !== x.channels) return { value, channels };
    return { value: this.#op('Add', [value, x.value]), channels };
  }

  dense(x: Feature, width: number): Feature {
    const weight = this.#weight([x.channels, width], x.channels);
    return { value: this.#op('Gemm', [x.value, weight, this.#weight([width], 1)]), channels: width };
  }

  relu({ value, channels }: Feature): Feature {
    return { value: this.#op('Relu', [value]), channels };
  }

  swish({ value, channels }: Feature): Feature {
    return { value: this.#op('Mul', [value, this.#op('Sigmoid', [value])]), channels };
  }

  classifier(x: Feature, classes: number): Model {
    const pooled = this.#op('Flatten', [this.#op('GlobalAveragePool', [x.value])]);
    return this.finish(this.dense({ value: pooled, channels: x.channels }, classes));
  }

  finish({ value }: Feature): Model {
    const { graph } = this.#model;
    const output = graph.create('Softmax', [value], { name: 'y', outputNames: ['y'] }).output;
    graph.outputs.push(output);
    return this.#model;
  }

  #convolve(x: Feature, channels: number, kernel: number, stride: number, group: number): Value {
    const fanIn = (x.channels / group) * kernel * kernel;
    const weight = this.#weight([channels, x.channels / group, kernel, kernel], fanIn);
    const pad = (kernel - 1) >> 1;
    return this.#op(
      'Conv',
      [x.value, weight, this.#weight([channels], 1)],
      [attr.int('group', group), attr.ints('pads', [pad, pad, pad, pad]), attr.ints('strides', [stride, stride])],
    );
  }

  #op(opType: string, inputs: readonly Value[], attributes: ReturnType<typeof attr.int>[] = []): Value {
    return this.#model.graph.create(opType, inputs, { attributes }).output;
  }

  /** Uniform with variance 2 / fan-in; biases (fan-in 1) are small. */
  #weight(dims: readonly number[], fanIn: number): Value {
    const limit = fanIn === 1 ? 0.01 : Math.sqrt(6 / fanIn);
    const count = dims.reduce((product, dim) => product * dim, 1);
    const values = Float32Array.from({ length: count }, () => limit * (2 * this.#random() - 1));
    const { graph } = this.#model;
    return graph.addInitializer(Tensor.float32(`w${graph.initializers.size}`, dims, values));
  }
}

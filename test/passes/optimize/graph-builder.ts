import { Model } from '../../../src/ir/model.ts';
import { attr } from '../../../src/ir/node.ts';
import { type Attribute, type Shape, tensorType } from '../../../src/ir/types.ts';
import type { Value } from '../../../src/ir/value.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';

type AttributeValue = number | string | readonly number[] | { float: number } | { floats: readonly number[] } | Tensor;

interface OperatorOptions {
  readonly name?: string;
  readonly outputs?: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

/** Builds small models the way exporters write them. Weights are drawn from a seeded generator. */
export class GraphBuilder {
  readonly model: Model;
  #seed = 1;
  readonly #nodeNames = new Set<string>();

  constructor(opset = 17, irVersion = 8) {
    this.model = Model.create(opset, irVersion, 'case');
  }

  input(name: string, shape: Shape, elemType: number = DataType.float32): Value {
    return this.model.graph.addInput(name, tensorType(elemType, shape));
  }

  /** A float32 initializer with values in [low, high). */
  weight(name: string, dims: readonly number[], low = -0.5, high = 0.5): Value {
    const count = dims.reduce((product, dim) => product * dim, 1);
    const values = Float32Array.from({ length: count }, () => low + (high - low) * this.#random());
    return this.model.graph.addInitializer(Tensor.float32(name, dims, values));
  }

  float(name: string, dims: readonly number[], values: readonly number[]): Value {
    return this.model.graph.addInitializer(Tensor.float32(name, dims, values));
  }

  ints(name: string, values: readonly number[], dims: readonly number[] = [values.length]): Value {
    return this.model.graph.addInitializer(Tensor.int64(name, dims, values));
  }

  /** A Constant node, as PyTorch's exporter writes them. */
  constant(name: string, tensor: Tensor): Value {
    return this.op('Constant', [], { outputs: [name], attributes: { value: tensor } });
  }

  /** Appends a node and gives its first output. */
  op(opType: string, inputs: readonly (Value | undefined)[], options: OperatorOptions = {}): Value {
    return this.ops(opType, inputs, options)[0]!;
  }

  /** Appends a node and gives all its outputs. */
  ops(opType: string, inputs: readonly (Value | undefined)[], options: OperatorOptions = {}): readonly Value[] {
    const outputNames = options.outputs ?? [`${(options.name ?? opType).toLowerCase()}_out`];
    const attributes = Object.entries(options.attributes ?? {}).map(([name, value]) => toAttribute(name, value));
    const name = this.#nodeName(options.name ?? opType);
    const node = this.model.graph.create(opType, inputs, { name, outputNames, attributes });
    return node.outputs;
  }

  /** Scale, bias, mean and variance of a batch normalization over `input`. */
  batchNormalization(name: string, input: Value, channels: number): Value {
    const parameters = [
      this.weight(`${name}.scale`, [channels], 0.5, 1.5),
      this.weight(`${name}.bias`, [channels]),
      this.weight(`${name}.mean`, [channels]),
      this.weight(`${name}.var`, [channels], 0.5, 2),
    ];
    return this.op('BatchNormalization', [input, ...parameters], { name });
  }

  /** Makes a value a public output under its own name, or renamed. */
  output(value: Value, shape?: Shape, name?: string, elemType: number = DataType.float32): this {
    if (name !== undefined) value.name = this.model.graph.uniqueName(name);
    value.type = tensorType(elemType, shape);
    this.model.graph.outputs.push(value);
    return this;
  }

  #nodeName(base: string): string {
    let name = base;
    for (let i = 1; this.#nodeNames.has(name); i++) name = `${base}_${i}`;
    this.#nodeNames.add(name);
    return name;
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32;
  }
}

function toAttribute(name: string, value: AttributeValue): Attribute {
  if (typeof value === 'number') return attr.int(name, value);
  if (typeof value === 'string') return attr.string(name, value);
  if (value instanceof Tensor) return attr.tensor(name, value);
  if ('float' in value) return attr.float(name, value.float);
  return 'floats' in value ? attr.floats(name, value.floats) : attr.ints(name, value);
}

import { checkValue } from '../../diagnostics/parse-checked-json.ts';
import type { Graph } from '../../ir/graph.ts';
import type { Model } from '../../ir/model.ts';
import { attr, type Node } from '../../ir/node.ts';
import { tensorType } from '../../ir/types.ts';
import { Value } from '../../ir/value.ts';
import type { CalibrationTable } from '../../quantization/calibration-table.ts';
import { chooseRange } from '../../quantization/choose-range.ts';
import {
  limitsOf,
  onnxTypeOf,
  parametersOfRange,
  type QuantizationParameters,
} from '../../quantization/quantization-parameters.ts';
import { roundHalfEven } from '../../quantization/quantize-weights.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { Pass, PassChange } from '../pass.ts';
import {
  type InsertQdqOptions,
  insertQdqOptionsSchema,
  placementOptions,
  type ResolvedInsertQdqOptions,
} from './insert-qdq-options.ts';
import { dataInputs, MOVEMENT, type Placement, placeQuantization } from './placement.ts';
import { quantizeLookup } from './quantize-lookup.ts';
import { type QuantizedConstant, quantizeNodeWeights } from './quantize-node-weights.ts';
import { requireQuantizableOpset } from './require-quantizable-opset.ts';
import { takeName } from './take-name.ts';

/**
 * Static quantization to int8 in QDQ form: weights become int8 with one scale per output channel, biases int32, and
 * QuantizeLinear/DequantizeLinear pairs mark the activations so that an engine can run integer kernels between them.
 * Needs operator set 13 (per-channel DequantizeLinear).
 *
 * @param exactWeights by name of the initializer, the weights that pruning has changed, as they were: bias correction then
 * takes up what the zeros have done to the means as well.
 * @example
 * await runPasses(model, [insertQdq(table, { calibrationMethod: 'mse' })], context);
 */
export function insertQdq(
  table: CalibrationTable,
  options: InsertQdqOptions = {},
  exactWeights: ReadonlyMap<string, Tensor> = new Map(),
): Pass {
  const resolved = checkValue(options, insertQdqOptionsSchema, 'recipe', 'insert-qdq');
  return {
    name: 'insert-qdq',
    requires: requireQuantizableOpset,
    run(model) {
      const placement = placeQuantization(model, placementOptions(resolved));
      const changes = new QdqInserter(model, placement, table, resolved, exactWeights).run();
      return { modified: changes.some((change) => change.kind !== 'keep-float'), changes };
    },
  };
}

class QdqInserter {
  readonly #graph: Graph;
  readonly #placement: Placement;
  readonly #table: CalibrationTable;
  readonly #options: ResolvedInsertQdqOptions;
  readonly #exactWeights: ReadonlyMap<string, Tensor>;
  readonly #changes: PassChange[] = [];
  readonly #parameters = new Map<Value, QuantizationParameters>();
  /** The integer form of a float value. */
  readonly #quantized = new Map<Value, Value>();
  /** The rounded float form of a float value, and the way back. */
  readonly #dequantized = new Map<Value, Value>();
  readonly #sources = new Map<Value, Value>();
  readonly #scalars = new Map<string, Value>();
  #weightCount = 0;

  constructor(
    model: Model,
    placement: Placement,
    table: CalibrationTable,
    options: ResolvedInsertQdqOptions,
    exactWeights: ReadonlyMap<string, Tensor>,
  ) {
    this.#exactWeights = exactWeights;
    this.#graph = model.graph;
    this.#placement = placement;
    this.#table = table;
    this.#options = options;
  }

  run(): PassChange[] {
    for (const value of this.#placement.quantizedValues) this.#parameters.set(value, this.#chooseParameters(value));
    for (const node of [...this.#graph.nodes()]) {
      const role = this.#placement.roles.get(node);
      if (role === undefined) continue;
      if (role === 'movement') {
        if (this.#options.form === 'kernels') this.#moveIntegers(node);
        else this.#moveRounded(node);
        continue;
      }
      if (role === 'lookup') {
        this.#quantizeTable(node);
        continue;
      }
      for (const value of new Set(dataInputs(node, role))) this.#roundInput(node, value);
      if (role === 'weighted') this.#quantizeWeights(node);
      const output = this.#absorbActivation(node);
      if (this.#parameters.has(output)) this.#quantizeOutput(node, output);
    }
    for (const [node, reason] of this.#placement.keptFloat) {
      this.#changes.push({ kind: 'keep-float', subject: node.name || node.output.name, detail: reason });
    }
    for (const value of this.#graph.initializers) {
      if (value.useCount === 0 && !this.#graph.isOutput(value)) this.#graph.initializers.delete(value);
    }
    // Types of values that are integers now, or gone, would contradict the graph; engines infer the rest.
    if (this.#placement.roles.size > 0) this.#graph.valueInfo.clear();
    return this.#changes;
  }

  #chooseParameters(value: Value): QuantizationParameters {
    const { calibrationMethod, activationType, activationSymmetric } = this.#options;
    if (value.tensor !== undefined) {
      return parametersOfRange(extremesOf(value.tensor.toFloat32()), activationType, activationSymmetric);
    }
    const statistics = this.#statisticsOf(value);
    if (statistics === undefined) throw new Error(`no calibration statistics for '${value.name}'`);
    const range = chooseRange(statistics, calibrationMethod, activationType, activationSymmetric);
    return parametersOfRange(range, activationType, activationSymmetric);
  }

  /** Of the value, or of what it was moved from: where less is quantized than was planned, such values are rounded too. */
  #statisticsOf(value: Value) {
    for (let current: Value | undefined = value; current !== undefined; ) {
      const known = this.#table.activations.get(current.name);
      if (known !== undefined) return known;
      const { producer }: Value = current;
      current = producer?.is(...MOVEMENT) === true ? producer.input(0) : undefined;
    }
    return undefined;
  }

  /** Lets a computing node read the rounded form of one of its inputs. */
  #roundInput(node: Node, value: Value): void {
    if (this.#sources.has(value)) return;
    if (value.tensor !== undefined) this.#quantizeConstant(value);
    else this.#quantize(value, node);
    node.replaceInputValue(value, this.#dequantize(value, node));
  }

  /** The integer form of a value; where it is not there yet, it is made in front of `anchor`. */
  #quantize(value: Value, anchor: Node | undefined): Value {
    const known = this.#quantized.get(value);
    if (known !== undefined) return known;
    const parameters = this.#parameters.get(value)!;
    const { output } = this.#graph.create(
      'QuantizeLinear',
      [value, this.#scale(parameters), this.#zeroPoint(parameters)],
      { outputNames: [`q${this.#quantized.size}`], anchor },
    );
    output.type = tensorType(onnxTypeOf(parameters.type), value.shape);
    this.#quantized.set(value, output);
    return output;
  }

  /** The rounded form of a quantized value; where it is not there yet, it is made behind the integers (or before `anchor`). */
  #dequantize(value: Value, anchor?: Node): Value {
    const known = this.#dequantized.get(value);
    if (known !== undefined) return known;
    const quantized = this.#quantized.get(value)!;
    const parameters = this.#parameters.get(value)!;
    const { output } = this.#graph.create(
      'DequantizeLinear',
      [quantized, this.#scale(parameters), this.#zeroPoint(parameters)],
      {
        outputNames: [`dq${this.#dequantized.size}`],
        anchor: quantized.producer === undefined ? anchor : quantized.producer.next,
      },
    );
    output.type = tensorType(DataType.float32, value.shape);
    this.#dequantized.set(value, output);
    this.#sources.set(output, value);
    return output;
  }

  /** Runs a movement node on the integers of its input. */
  #moveIntegers(node: Node): void {
    const input = node.input(0)!;
    const parameters = this.#parameters.get(input)!;
    node.setInput(0, this.#quantize(input, node));
    if (node.is('Pad')) node.setInput(2, this.#zeroPoint(parameters));
    node.outputs.forEach((output, index) => {
      if (output.name === '') return;
      const moved = new Value(this.#graph.uniqueName(`q${this.#quantized.size}`));
      moved.type = tensorType(onnxTypeOf(parameters.type), output.shape);
      node.setOutput(index, moved);
      this.#quantized.set(output, moved);
      this.#parameters.set(output, parameters);
      this.#redirectReaders(output);
    });
  }

  /** Lets a movement node stand between pairs of its own: what it writes is rounded as what it reads is. */
  #moveRounded(node: Node): void {
    const input = node.input(0)!;
    const parameters = this.#parameters.get(this.#sources.get(input) ?? input)!;
    this.#roundInput(node, input);
    for (const output of node.outputs) {
      if (output.name === '') continue;
      this.#parameters.set(output, parameters);
      this.#quantizeOutput(node, output);
    }
  }

  /** Quantizes what a node writes: its output is read in rounded form from now on. */
  #quantizeOutput(node: Node, output: Value): void {
    if (output.useCount === 0 && !this.#graph.isOutput(output)) return;
    this.#quantize(output, node.next);
    this.#redirectReaders(output);
  }

  /** Points the readers of a value to its rounded form. Movement nodes are left: they will take the integers. */
  #redirectReaders(value: Value): void {
    const quantizer = this.#quantized.get(value)!.producer;
    const readers = value.consumers.filter(
      (reader) => reader !== quantizer && this.#placement.roles.get(reader) !== 'movement',
    );
    const isOutput = this.#graph.isOutput(value);
    if (readers.length === 0 && !isOutput) return;
    const rounded = this.#dequantize(value);
    for (const reader of readers) reader.replaceInputValue(value, rounded);
    if (isOutput) this.#renameOutput(value, rounded);
  }

  /** The public output keeps its name: the rounded value takes it over. */
  #renameOutput(value: Value, rounded: Value): void {
    rounded.name = value.name;
    rounded.type = value.type;
    value.name = this.#graph.uniqueName(`${value.name}_exact`);
    const { outputs } = this.#graph;
    for (let i = 0; i < outputs.length; i++) if (outputs[i] === value) outputs[i] = rounded;
  }

  /** Removes a Relu or Clip whose effect the rounding to an unsigned range has. Returns the value that is to be rounded. */
  #absorbActivation(node: Node): Value {
    const activation = node.output.consumers.find((reader) => this.#placement.absorbed.get(reader) === node);
    if (activation === undefined || !this.#parameters.has(activation.output)) return node.output;
    const output = activation.output;
    this.#changes.push({ kind: 'absorb-activation', subject: nameOf(activation), detail: activation.opType });
    this.#graph.remove(activation);
    node.setOutput(0, output);
    return output;
  }

  #quantizeConstant(value: Value): void {
    if (this.#quantized.has(value)) return;
    const parameters = this.#parameters.get(value)!;
    const limits = limitsOf(parameters.type);
    const source = value.tensor!.toFloat32();
    const integers = parameters.type === 'uint8' ? new Uint8Array(source.length) : new Int8Array(source.length);
    for (let i = 0; i < source.length; i++) {
      const rounded = roundHalfEven(source[i]! / parameters.scale) + parameters.zeroPoint;
      integers[i] = Math.max(limits.min, Math.min(limits.max, rounded));
    }
    const type = onnxTypeOf(parameters.type);
    const tensor = Tensor.fromArray(`${value.name}_quantized`, type, value.tensor!.dims, integers);
    this.#quantized.set(value, this.#graph.addInitializer(tensor));
  }

  #quantizeWeights(node: Node): void {
    const input = this.#sources.get(node.input(0)!)!;
    const inputScale = this.#parameters.get(input)!.scale;
    const means = this.#table.channelMeans.get(input.name);
    const exact = this.#exactWeights.get(node.input(1)!.name);
    const options = { ...this.#options, ...this.#stepFactorOf(node), ...(exact === undefined ? {} : { exact }) };
    const { weights, bias, floatBias, shift, axis } = quantizeNodeWeights(node, inputScale, means, options);
    const prefix = `w${this.#weightCount++}`;
    this.#replaceConstant(node, 1, weights, prefix, axis);
    if (bias !== undefined) this.#replaceConstant(node, 2, bias, `${prefix}_bias`, 0);
    if (floatBias !== undefined) {
      node.setInput(2, this.#graph.addInitializer(Tensor.float32(`${prefix}_bias`, [floatBias.length], floatBias)));
    }
    if (shift !== undefined) this.#shiftFollowingAdd(node, shift);
    this.#changes.push({ kind: 'quantize-weights', subject: nameOf(node), detail: node.opType });
  }

  /** Moves a mean error into the constant that is added to a matrix product, where there is one. */
  #shiftFollowingAdd(node: Node, shift: Float64Array): void {
    const [add] = node.output.consumers;
    if (add === undefined || node.output.useCount !== 1 || this.#graph.isOutput(node.output) || !add.is('Add')) return;
    const index = add.input(0) === node.output ? 1 : 0;
    const addend = add.input(index);
    const constant = addend?.tensor;
    if (constant?.dataType !== DataType.float32 || constant.elementCount !== shift.length) return;
    if (constant.dims.at(-1) !== shift.length) return;
    const shifted = constant.toFloat32().map((value, i) => value + shift[i]!);
    const value = this.#graph.addInitializer(Tensor.float32(`${constant.name}_shifted`, constant.dims, shifted));
    add.setInput(index, value);
    if (this.#parameters.has(addend!)) this.#parameters.set(value, this.#chooseParameters(value));
  }

  #quantizeTable(node: Node): void {
    const options = { range: this.#options.weightRange, ...this.#stepFactorOf(node) };
    quantizeLookup(this.#graph, node, options, `w${this.#weightCount++}`);
    this.#changes.push({ kind: 'quantize-weights', subject: nameOf(node), detail: 'lookup table' });
  }

  #stepFactorOf(node: Node): { stepFactor?: number } {
    const name = nameOf(node);
    const factors = this.#options.weightStepFactors;
    return Object.hasOwn(factors, name) ? { stepFactor: factors[name]! } : {};
  }

  /** Lets a node read integers, through the node that makes them real by their scales along an axis. */
  #replaceConstant(
    node: Node,
    index: number,
    { values, scales }: QuantizedConstant,
    prefix: string,
    axis: number,
  ): void {
    const original = node.input(index);
    const isPerTensor = index === 1 && this.#options.perTensor.includes(node.opType);
    const dims = isPerTensor ? [] : [scales.length];
    const scale = this.#graph.addInitializer(Tensor.float32(`${prefix}_scale`, dims, scales));
    const stored = index === 1 && this.#options.unsignedWeights.includes(node.opType) ? toUnsigned(values) : values;
    // Nodes that share float weights get integers of their own: the engine fails to load convolutions that share them.
    const integers = this.#graph.addInitializer(stored.withName(`${prefix}_quantized`));
    const inputs = [integers, scale];
    // The zero point is stated although it is the default, and by a tensor of its own: the engine makes integer products
    // of a Gemm only where it is there, and fails on one that is shared.
    if (stored.dataType !== DataType.int32) {
      const zeros = stored === values ? new Int8Array(scales.length) : new Uint8Array(scales.length).fill(128);
      inputs.push(this.#graph.addInitializer(Tensor.fromArray(`${prefix}_zero`, stored.dataType, dims, zeros)));
    }
    const dequantizer = this.#graph.create('DequantizeLinear', inputs, {
      outputNames: [prefix],
      attributes: isPerTensor ? [] : [attr.int('axis', axis)],
      anchor: node,
    });
    node.setInput(index, dequantizer.output);
    takeName(this.#graph, original, integers);
  }

  #scale({ scale }: QuantizationParameters): Value {
    return this.#shared(`scale:${scale}`, () => Tensor.float32(`s${this.#scalars.size}`, [], [scale]));
  }

  #zeroPoint({ zeroPoint, type }: QuantizationParameters): Value {
    return this.#shared(`${type}:${zeroPoint}`, () => {
      const element = type === 'uint8' ? Uint8Array.of(zeroPoint) : Int8Array.of(zeroPoint);
      return Tensor.fromArray(`zero${this.#scalars.size}`, onnxTypeOf(type), [], element);
    });
  }

  #shared(key: string, make: () => Tensor): Value {
    let value = this.#scalars.get(key);
    if (value === undefined) {
      value = this.#graph.addInitializer(make());
      this.#scalars.set(key, value);
    }
    return value;
  }
}

function nameOf(node: Node): string {
  return node.name || node.output.name;
}

/** The same integers around 128 instead of 0. */
function toUnsigned(values: Tensor): Tensor {
  const shifted = Uint8Array.from(values.bytes(), (byte) => byte ^ 0x80);
  return Tensor.fromArray('', DataType.uint8, values.dims, shifted);
}

function extremesOf(values: Float32Array): { min: number; max: number } {
  let min = 0;
  let max = 0;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

import type { Model } from '../../src/ir/model.ts';
import type { Node } from '../../src/ir/node.ts';
import type { Value } from '../../src/ir/value.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import type { Feeds } from '../../src/tensor/nd-array.ts';
import { type Accumulation, quantizeNumber } from './integer-arithmetic.ts';
import { integerConv, integerMatMul, type ReductionOrder } from './integer-conv.ts';

/** Integers that stand for reals: `(values - zeroPoint) · scales[channel along axis]`. */
interface Scaled {
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
  readonly scales: ArrayLike<number>;
  readonly axis: number;
  readonly zeroPoint: number;
  readonly isSigned: boolean;
}

export interface Reals {
  readonly dims: readonly number[];
  readonly values: Float64Array;
}

/**
 * Runs a QDQ model in integers, as its author means it: products of 8-bit numbers are added in int32 with the int32 bias,
 * and only then scaled and rounded. Covers QuantizeLinear, DequantizeLinear, Conv, Gemm, MatMul, Add of a constant, Relu
 * and Clip; nothing of it is shared with an engine or with the code under test.
 * @returns every real value of the graph by name, quantized ones in their rounded form.
 */
export function runReference(
  model: Model,
  feeds: Feeds,
  accumulation: Accumulation = 'exact',
  order: ReductionOrder = 'channels-first',
): Map<string, Reals> {
  const integers = new Map<Value, Omit<Scaled, 'scales' | 'axis'>>();
  const scaled = new Map<Value, Scaled>();
  const reals = new Map<Value, Reals>();
  for (const value of model.graph.inputs) {
    const { dims, data } = feeds[value.name]!;
    reals.set(value, { dims, values: Float64Array.from(data as ArrayLike<number>) });
  }
  const numbers = (value: Value | undefined): number[] => value!.tensor!.toNumbers();
  const realOf = (value: Value): Reals => {
    const known = reals.get(value);
    if (known !== undefined) return known;
    const form = scaled.get(value);
    const made =
      form !== undefined
        ? { dims: form.dims, values: dequantize(form) }
        : { dims: value.tensor!.dims, values: Float64Array.from(numbers(value)) };
    reals.set(value, made);
    return made;
  };
  const multiply = (node: Node): Scaled => {
    const x = scaled.get(node.input(0)!)!;
    const w = scaled.get(node.input(1)!)!;
    const isConv = node.is('Conv');
    const isTransposed = node.int('transB', 0) === 1;
    const { dims, values } = isConv
      ? integerConv(x, w, convAttributes(node, w.dims.length - 2), accumulation, order)
      : integerMatMul(x, isTransposed ? transposed(w) : w, accumulation);
    const axis = isConv ? 1 : dims.length - 1;
    const bias = node.input(2) === undefined ? undefined : scaled.get(node.input(2)!)!;
    const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
    const channels = dims[axis]!;
    const sums = values.map((sum, i) => (sum + (bias?.values[Math.floor(i / inner) % channels] ?? 0)) | 0);
    const scales = Float64Array.from({ length: channels }, (_, c) => x.scales[0]! * w.scales[c % w.scales.length]!);
    return { dims, values: sums, scales, axis, zeroPoint: 0, isSigned: true };
  };
  for (const node of model.graph.nodes()) {
    const output = node.output;
    switch (node.opType) {
      case 'QuantizeLinear': {
        const { dims, values } = realOf(node.input(0)!);
        const isSigned = node.input(2)!.tensor!.dataType === DataType.int8;
        const [scale, zeroPoint] = [numbers(node.input(1))[0]!, numbers(node.input(2))[0]!];
        const rounded = values.map((value) => quantizeNumber(value, scale, zeroPoint, isSigned));
        integers.set(output, { dims, values: rounded, zeroPoint, isSigned });
        break;
      }
      case 'DequantizeLinear': {
        const source = node.input(0)!;
        const stored = integers.get(source) ?? {
          dims: source.tensor!.dims,
          values: numbers(source),
          zeroPoint: node.input(2) === undefined ? 0 : numbers(node.input(2))[0]!,
          isSigned: source.tensor!.dataType !== DataType.uint8,
        };
        scaled.set(output, { ...stored, scales: numbers(node.input(1)), axis: node.int('axis', 1) });
        break;
      }
      case 'Conv':
      case 'Gemm':
      case 'MatMul':
        scaled.set(output, multiply(node));
        break;
      case 'Relu': {
        const { dims, values } = realOf(node.input(0)!);
        reals.set(output, { dims, values: values.map((value) => Math.max(0, value)) });
        break;
      }
      case 'Clip': {
        const { dims, values } = realOf(node.input(0)!);
        const bounds = [1, 2].map((i) => (node.input(i) === undefined ? undefined : numbers(node.input(i))[0]!));
        const [low, high] = [bounds[0] ?? Number.NEGATIVE_INFINITY, bounds[1] ?? Number.POSITIVE_INFINITY];
        reals.set(output, { dims, values: values.map((value) => Math.min(high, Math.max(low, value))) });
        break;
      }
      case 'Add': {
        const constant = node.input(0)!.tensor === undefined ? 1 : 0;
        const { dims, values } = realOf(node.input(1 - constant)!);
        const added = realOf(node.input(constant)!).values;
        reals.set(output, { dims, values: values.map((value, i) => value + added[i % added.length]!) });
        break;
      }
      default:
        throw new Error(`the reference does not know ${node.opType}`);
    }
  }
  const result = new Map<string, Reals>();
  for (const node of model.graph.nodes()) {
    for (const value of node.outputs) if (!integers.has(value)) result.set(value.name, realOf(value));
  }
  return result;
}

function dequantize({ dims, values, scales, axis, zeroPoint }: Scaled): Float64Array {
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  return Float64Array.from(
    { length: values.length },
    (_, i) => (values[i]! - zeroPoint) * scales[Math.floor(i / inner) % scales.length]!,
  );
}

function transposed(matrix: Scaled): Scaled {
  const [rows, columns] = matrix.dims as [number, number];
  const values = Array.from(
    { length: rows * columns },
    (_, i) => matrix.values[(i % rows) * columns + Math.floor(i / rows)]!,
  );
  return { ...matrix, dims: [columns, rows], values };
}

function convAttributes(node: Node, rank: number) {
  const ones = new Array<number>(rank).fill(1);
  return {
    group: node.int('group', 1),
    strides: node.ints('strides') ?? ones,
    dilations: node.ints('dilations') ?? ones,
    pads: node.ints('pads') ?? new Array<number>(2 * rank).fill(0),
  };
}

import type { Graph } from '../../ir/graph.ts';
import { attr, type Node } from '../../ir/node.ts';
import { tensorType } from '../../ir/types.ts';
import type { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';

/** Weights as they are stored: integers with a step for each index along an axis, or one for all. */
export interface IntegerWeights {
  readonly values: Tensor;
  readonly scales: Float32Array;
  readonly axis: number;
}

/**
 * How integers become real. ONNX Runtime keeps a DequantizeLinear and computes it in every run, except in front of a MatMul,
 * which it turns into a product with int8 weights; a Cast and a Mul of constants it computes once, when it loads the model.
 */
export type RealForm = 'dequantize' | 'fold';

/** The form in which a node takes stored weights at no cost, or with a gain. */
export function realFormFor(node: Node, { dims }: Tensor): RealForm {
  return node.is('MatMul') && dims.length === 2 ? 'dequantize' : 'fold';
}

/** Adds integers and the nodes that make them real in front of `anchor`. Returns the real weights. */
export function addRealWeights(
  graph: Graph,
  anchor: Node,
  { values, scales, axis }: IntegerWeights,
  { prefix, form }: { readonly prefix: string; readonly form: RealForm },
): { readonly real: Value; readonly integers: Value } {
  const integers = graph.addInitializer(values.withName(`${prefix}_quantized`));
  const real =
    form === 'dequantize'
      ? dequantized(graph, anchor, integers, scales, axis, prefix)
      : scaled(graph, anchor, integers, scales, axis, prefix);
  real.type = tensorType(DataType.float32, values.dims);
  return { real, integers };
}

function dequantized(
  graph: Graph,
  anchor: Node,
  integers: Value,
  scales: Float32Array,
  axis: number,
  prefix: string,
): Value {
  const zeros = new Int8Array(scales.length);
  return graph.create(
    'DequantizeLinear',
    [
      integers,
      graph.addInitializer(Tensor.float32(`${prefix}_scale`, [scales.length], scales)),
      graph.addInitializer(Tensor.fromArray(`${prefix}_zero`, DataType.int8, [zeros.length], zeros)),
    ],
    { outputNames: [prefix], attributes: [attr.int('axis', axis)], anchor },
  ).output;
}

function scaled(
  graph: Graph,
  anchor: Node,
  integers: Value,
  scales: Float32Array,
  axis: number,
  prefix: string,
): Value {
  const shape = integers.tensor!.dims.map((_, i) => (i === axis ? scales.length : 1));
  const scale = graph.addInitializer(Tensor.float32(`${prefix}_scale`, shape, scales));
  const cast = graph.create('Cast', [integers], {
    outputNames: [`${prefix}_cast`],
    attributes: [attr.int('to', DataType.float32)],
    anchor,
  });
  cast.output.type = tensorType(DataType.float32, integers.tensor!.dims);
  return graph.create('Mul', [cast.output, scale], { outputNames: [prefix], anchor }).output;
}

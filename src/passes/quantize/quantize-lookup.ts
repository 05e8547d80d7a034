import type { Graph } from '../../ir/graph.ts';
import { attr, type Node } from '../../ir/node.ts';
import { tensorType } from '../../ir/types.ts';
import { Value } from '../../ir/value.ts';
import { channelLayout, type WeightQuantizationOptions } from '../../quantization/quantize-weights.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { quantizeTensor } from './quantize-tensor.ts';
import { takeName } from './take-name.ts';

/** Keeps the table of a Gather in int8, with one scale per column: only the rows that are looked up become real. */
export function quantizeLookup(
  graph: Graph,
  node: Node,
  options: Pick<WeightQuantizationOptions, 'range' | 'stepFactor'>,
  prefix: string,
): void {
  const table = node.input(0)!.tensor!;
  const { values, scales } = quantizeTensor(table, channelLayout(table.dims, 1), options);
  storeLookup(graph, node, { values: Tensor.fromArray('', DataType.int8, table.dims, values), scales }, prefix);
}

/** Lets a Gather look up integers that are there already, with one scale per column. */
export function storeLookup(
  graph: Graph,
  node: Node,
  { values, scales }: { readonly values: Tensor; readonly scales: Float32Array },
  prefix: string,
): void {
  const original = node.input(0)!;
  const integers = graph.addInitializer(values.withName(`${prefix}_quantized`));
  node.setInput(0, integers);
  takeName(graph, original, integers);
  const output = node.output;
  const rows = new Value(graph.uniqueName(`${prefix}_rows`), tensorType(DataType.int8, output.shape));
  node.setOutput(0, rows);
  const scale = graph.addInitializer(Tensor.float32(`${prefix}_scale`, [scales.length], scales));
  const dequantizer = graph.create('DequantizeLinear', [rows, scale], {
    attributes: [attr.int('axis', -1)],
    anchor: node.next,
  });
  dequantizer.setOutput(0, output);
}

import { z } from 'zod';
import { checkValue } from '../../diagnostics/parse-checked-json.ts';
import type { Graph } from '../../ir/graph.ts';
import type { Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { channelLayout } from '../../quantization/quantize-weights.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { nodeMatcher } from '../match-nodes.ts';
import { type Pass, type PassChange, passResult } from '../pass.ts';
import { isFiniteTensor } from './is-finite-tensor.ts';
import { quantizeLookup } from './quantize-lookup.ts';
import { quantizeTensor } from './quantize-tensor.ts';
import { addRealWeights, realFormFor } from './real-weights.ts';
import { requireQuantizableOpset } from './require-quantizable-opset.ts';
import { takeName } from './take-name.ts';

export const insertWeightDqOptionsSchema = z.strictObject({
  weightRange: z.enum(['max', 'mse']).default('mse').describe('How the step of each weight channel is chosen.'),
  nodesToExclude: z.array(z.string()).default([]).describe('Names or patterns of nodes whose weights stay in float.'),
});
export type InsertWeightDqOptions = z.input<typeof insertWeightDqOptionsSchema>;

/** Weights of fewer elements are left: a node and its scales would take what is saved. */
const MIN_ELEMENTS = 1024;

/**
 * Stores weights as int8 with one scale per output channel; everything is computed in float. Needs no data. The file shrinks
 * to about a quarter; memory may not, since engines expand the weights. See {@link realFormFor} for how they are made real.
 *
 * @param isWanted of nodes that are not excluded by name: all by default.
 *
 * @example
 * await runPasses(model, [insertWeightDq()], context);
 */
export function insertWeightDq(
  options: InsertWeightDqOptions = {},
  isWanted: (node: Node) => boolean = () => true,
): Pass {
  const { weightRange, nodesToExclude } = checkValue(
    options,
    insertWeightDqOptionsSchema,
    'recipe',
    'insert-weight-dq',
  );
  const isExcluded = nodeMatcher(nodesToExclude);
  return {
    name: 'insert-weight-dq',
    requires: requireQuantizableOpset,
    run(model) {
      const changes: PassChange[] = [];
      const done = new Map<Value, { readonly real: Value; readonly integers: Value }>();
      // Made beforehand: nodes are added on the way.
      const nodes = [...model.graph.allGraphs()].flatMap((graph) => [...graph.nodes()]);
      for (const node of nodes) {
        if (isExcluded(node) || !isWanted(node)) continue;
        let isStored = false;
        for (const { index, axis } of weightSlots(node)) {
          const value = node.input(index)!;
          const tensor = value.tensor!;
          if (tensor.dataType !== DataType.float32 || tensor.elementCount < MIN_ELEMENTS) continue;
          if (!isFiniteTensor(tensor)) continue;
          const holder = holderOf(value, node);
          if (holder === undefined) continue;
          const prefix = `w${changes.length}${isStored ? 'r' : ''}`;
          isStored = true;
          if (node.is('Gather')) {
            quantizeLookup(holder.graph, node, { range: weightRange }, prefix);
            continue;
          }
          const known = done.get(value) ?? storeWeights(holder, tensor, axis, { node, range: weightRange, prefix });
          done.set(value, known);
          node.setInput(index, known.real);
          takeName(holder.graph, value, known.integers);
        }
        if (!isStored) continue;
        changes.push({ kind: 'quantize-weights', subject: node.name || node.output.name, detail: node.opType });
      }
      for (const graph of model.graph.allGraphs()) {
        for (const value of graph.initializers) {
          if (value.useCount === 0 && !graph.isOutput(value)) graph.initializers.delete(value);
        }
      }
      return passResult(changes);
    },
  };
}

interface Holder {
  readonly graph: Graph;
  /** In front of what real weights are made. */
  readonly anchor: Node;
}

/**
 * The graph that holds a constant, where real weights are made too: in front of the node that reads them, or as the first thing
 * where nodes of inner graphs read the constant. Undefined for a table of rows that an inner graph looks up from outside.
 */
function holderOf(value: Value, node: Node): Holder | undefined {
  let graph = node.graph!;
  while (!graph.initializers.has(value)) {
    if (graph.parent === undefined || node.is('Gather')) return undefined;
    graph = graph.parent;
  }
  const [first] = graph.nodes();
  return { graph, anchor: value.consumers.every((reader) => reader.graph === graph) ? node : first! };
}

function storeWeights(
  { graph, anchor }: Holder,
  tensor: Tensor,
  axis: number,
  { node, range, prefix }: { readonly node: Node; readonly range: 'max' | 'mse'; readonly prefix: string },
) {
  const { values, scales } = quantizeTensor(tensor, channelLayout(tensor.dims, axis), { range });
  const weights = { values: Tensor.fromArray('', DataType.int8, tensor.dims, values), scales, axis };
  return addRealWeights(graph, anchor, weights, { prefix, form: realFormFor(node, tensor) });
}

/** Which inputs hold a node's constant weights, and along which axis their output channels run. */
function weightSlots(node: Node): { index: number; axis: number }[] {
  const rank = (index: number) => node.input(index)?.tensor?.dims.length ?? 0;
  if (node.is('Gather')) return rank(0) === 2 && node.int('axis', 0) === 0 ? [{ index: 0, axis: 1 }] : [];
  if (node.is('Einsum')) return einsumSlots(node);
  if (node.is('LSTM', 'GRU', 'RNN'))
    return [1, 2].filter((index) => rank(index) === 3).map((index) => ({ index, axis: 1 }));
  if (rank(1) < 2) return [];
  if (node.is('Conv')) return [{ index: 1, axis: 0 }];
  if (node.is('ConvTranspose')) return [{ index: 1, axis: node.int('group', 1) === 1 ? 1 : 0 }];
  if (node.is('Gemm')) return [{ index: 1, axis: node.int('transB', 0) === 1 ? 0 : 1 }];
  return node.is('MatMul') ? [{ index: 1, axis: rank(1) - 1 }] : [];
}

/** The constant operands of an Einsum; their channels are the last of their letters that are in the result. */
function einsumSlots(node: Node): { index: number; axis: number }[] {
  const [operands = '', result = ''] = node.string('equation', '').replaceAll(' ', '').split('->');
  return operands.split(',').flatMap((letters, index) => {
    const dims = node.input(index)?.tensor?.dims;
    if (dims === undefined || dims.length < 2 || letters.length !== dims.length) return [];
    const axis = [...letters].findLastIndex((letter) => result.includes(letter));
    return [{ index, axis: axis < 0 ? dims.length - 1 : axis }];
  });
}

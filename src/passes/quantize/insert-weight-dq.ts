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
 * @example
 * await runPasses(model, [insertWeightDq()], context);
 */
export function insertWeightDq(options: InsertWeightDqOptions = {}): Pass {
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
      const { graph } = model;
      const changes: PassChange[] = [];
      const done = new Map<Value, { readonly real: Value; readonly integers: Value }>();
      for (const node of [...graph.nodes()]) {
        const slot = weightSlot(node);
        const value = slot === undefined ? undefined : node.input(slot.index);
        if (slot === undefined || value?.tensor === undefined || isExcluded(node)) continue;
        const tensor = value.tensor;
        if (tensor.dataType !== DataType.float32 || tensor.elementCount < MIN_ELEMENTS) continue;
        if (!isFiniteTensor(tensor)) continue;
        const prefix = `w${changes.length}`;
        if (node.is('Gather')) {
          quantizeLookup(graph, node, { range: weightRange }, prefix);
        } else {
          const known = done.get(value) ?? storeWeights(graph, node, tensor, slot.axis, weightRange, prefix);
          done.set(value, known);
          node.setInput(slot.index, known.real);
          takeName(graph, value, known.integers);
        }
        changes.push({ kind: 'quantize-weights', subject: node.name || node.output.name, detail: node.opType });
      }
      for (const value of graph.initializers) {
        if (value.useCount === 0 && !graph.isOutput(value)) graph.initializers.delete(value);
      }
      return passResult(changes);
    },
  };
}

function storeWeights(graph: Graph, node: Node, tensor: Tensor, axis: number, range: 'max' | 'mse', prefix: string) {
  const { values, scales } = quantizeTensor(tensor, channelLayout(tensor.dims, axis), { range });
  const weights = { values: Tensor.fromArray('', DataType.int8, tensor.dims, values), scales, axis };
  return addRealWeights(graph, node, weights, { prefix, form: realFormFor(node, tensor) });
}

/** Which input holds a node's weights, and along which axis its output channels run. */
function weightSlot(node: Node): { index: number; axis: number } | undefined {
  const rank = (index: number) => node.input(index)?.tensor?.dims.length ?? 0;
  if (node.is('Conv')) return { index: 1, axis: 0 };
  if (node.is('ConvTranspose')) return node.int('group', 1) === 1 ? { index: 1, axis: 1 } : { index: 1, axis: 0 };
  if (node.is('Gemm') && rank(1) === 2) return { index: 1, axis: node.int('transB', 0) === 1 ? 0 : 1 };
  if (node.is('MatMul') && rank(1) >= 2) return { index: 1, axis: rank(1) - 1 };
  if (node.is('Gather') && rank(0) === 2 && node.int('axis', 0) === 0) return { index: 0, axis: 1 };
  return undefined;
}

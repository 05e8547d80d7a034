import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { silentLogger } from '../diagnostics/logger.ts';
import { printable } from '../diagnostics/printable.ts';
import { integerProducts } from '../evaluation/integer-products.ts';
import { inferShapes } from '../ir/infer-shapes.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import { inferTypes } from '../ir/shape-inference/infer-types.ts';
import type { Value } from '../ir/value.ts';
import { optimizePasses } from '../passes/optimize/optimize-passes.ts';
import { removeInitializerInputs } from '../passes/optimize/remove-initializer-inputs.ts';
import { upgradeOpset } from '../passes/optimize/upgrade-opset.ts';
import { placeQuantization } from '../passes/quantize/placement.ts';
import { runPasses } from '../passes/run-passes.ts';
import type { Inspection } from '../report/inspection-schema.ts';
import { operatorOrigin } from './count-operators.ts';

type Blocker = Inspection['quantization']['blockers'][number];

/** Operator set that int8 needs: DequantizeLinear with one scale per channel came with it. */
const QUANTIZATION_OPSET = 13;

/** Operators that multiply by weights and have no integer kernel that edgepack makes use of. */
const FLOAT_ONLY = ['LSTM', 'GRU', 'RNN', 'Einsum', 'DeformConv', 'Attention'] as const;

/**
 * What keeps nodes from integer kernels: the operator set, forms without such kernels, subgraphs, functions and unknown
 * operators. The model is brought into the form in which it would be quantized, as far as that needs no engine: edits it.
 */
export async function findBlockers(model: Model, signal?: AbortSignal): Promise<Blocker[]> {
  const blockers: Blocker[] = [];
  try {
    const passes = [removeInitializerInputs(), upgradeOpset({ minimum: QUANTIZATION_OPSET }), ...optimizePasses()];
    const runs = await runPasses(model, passes, { logger: silentLogger, ...(signal === undefined ? {} : { signal }) });
    const kept = runs.flatMap(({ changes }) => changes).find(({ kind }) => kind === 'keep-opset');
    if (model.opset < QUANTIZATION_OPSET) {
      const detail = kept === undefined ? '' : `; not upgraded: ${kept.subject}: ${kept.detail ?? ''}`;
      blockers.push({ subject: `opset ${model.opset}`, reason: `int8 needs opset ${QUANTIZATION_OPSET}${detail}` });
    }
  } catch (error) {
    if (!(error instanceof EdgepackError)) throw error;
    blockers.push({ subject: model.graph.name, reason: `cannot be optimised: ${error.message}` });
  }
  return [...blockers, ...nodeBlockers(model), ...operatorBlockers(model)];
}

function nodeBlockers(model: Model): Blocker[] {
  inferShapes(model);
  const integer = new Set(integerProducts(model, inferTypes(model)).map(({ node }) => node));
  const { keptFloat } = placeQuantization(model);
  const foldable = foldableValues(model);
  const blockers: Blocker[] = [];
  for (const graph of model.graph.allGraphs()) {
    for (const node of graph.nodes()) {
      // What is computed from constants becomes a constant when the engine folds it.
      if (integer.has(node) || node.inputs.some((value) => value !== undefined && foldable.has(value))) continue;
      const reason = graph === model.graph ? mainReason(node, keptFloat.get(node)) : subgraphReason(node);
      if (reason !== undefined) blockers.push({ subject: node.name || (node.outputs[0]?.name ?? ''), reason });
    }
  }
  return blockers;
}

/** Outputs of nodes that read constants alone and give the same every time. */
function foldableValues(model: Model): Set<Value> {
  const foldable = new Set<Value>();
  for (const node of model.graph.nodes()) {
    if (node.is('DequantizeLinear', 'QuantizeLinear', ...RANDOM) || !node.is(node.opType)) continue;
    if (node.inputs.length === 0 || node.subgraphs().length > 0) continue;
    const isConstant = node.inputs.every(
      (value) => value === undefined || value.tensor !== undefined || foldable.has(value),
    );
    if (isConstant) for (const output of node.outputs) foldable.add(output);
  }
  return foldable;
}

const RANDOM = ['RandomNormalLike', 'RandomUniformLike', 'Multinomial', 'Bernoulli'] as const;

function mainReason(node: Node, kept: string | undefined): string | undefined {
  if (kept !== undefined) {
    return isDequantized(node) ? 'its weights are quantized, its activations are not: it computes in float' : kept;
  }
  if (node.is(...FLOAT_ONLY)) return `no integer kernel for ${node.opType}`;
  return undefined;
}

function subgraphReason(node: Node): string | undefined {
  if (!node.is('Conv', 'ConvTranspose', 'Gemm', 'MatMul', ...FLOAT_ONLY)) return undefined;
  const { opType = 'node', name = '' } = node.graph?.owner ?? {};
  return `inside the ${printable(opType)} '${printable(name)}': only the main graph is quantized`;
}

function isDequantized(node: Node): boolean {
  return node.input(1)?.producer?.is('DequantizeLinear') === true;
}

/** Operators that pass through untouched, a line per kind. */
function operatorBlockers(model: Model): Blocker[] {
  const originOf = operatorOrigin(model);
  const kinds = new Map<string, { count: number; reason: string }>();
  for (const graph of model.graph.allGraphs()) {
    for (const { domain, opType } of graph.nodes()) {
      const origin = originOf(domain, opType);
      if (origin === 'known') continue;
      const reason = origin === 'function' ? 'a function of the file, which is not looked into' : 'unknown operator';
      const subject = domain === '' ? opType : `${domain}.${opType}`;
      const kind = kinds.get(subject);
      if (kind === undefined) kinds.set(subject, { count: 1, reason });
      else kind.count++;
    }
  }
  return Array.from(kinds, ([subject, { count, reason }]) => ({
    subject,
    reason: `${reason}: ${count === 1 ? '1 node passes' : `${count} nodes pass`} through untouched`,
  }));
}

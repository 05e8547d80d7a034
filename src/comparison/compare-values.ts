import type { Dataset } from '../data/dataset.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import type { Logger } from '../diagnostics/logger.ts';
import { cloneModel } from '../formats/onnx/clone-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import { inferTypes } from '../ir/shape-inference/infer-types.ts';
import { tensorType } from '../ir/types.ts';
import type { Value } from '../ir/value.ts';
import type { Engine } from '../runtime/engine.ts';
import { loadPieces } from '../runtime/load-pieces.ts';
import type { ComparisonStatistics } from '../runtime/statistics.ts';
import { DataType } from '../tensor/data-type.ts';
import type { ModelComparison } from './compare-models.ts';
import { isDequantizer, isQuantizer } from './constant-source.ts';
import type { InterfaceMatch } from './match-interfaces.ts';

/** Bytes of values that are fetched at once, per model. */
const CHUNK_BYTES = 8 * 2 ** 20;
/** Taken for values whose size is not known. */
const UNKNOWN_BYTES = 2 ** 20;

export interface ValuePair {
  readonly node: Node;
  readonly a: Value;
  readonly b: Value;
}

export interface ValueDifference extends ValuePair {
  /** Undefined where the values cannot be compared: other shapes. */
  readonly statistics: ComparisonStatistics | undefined;
}

export interface CompareValuesContext {
  /** How inputs correspond: those of the second model are fed under the names of the first. */
  readonly interfaces: InterfaceMatch;
  readonly logger: Logger;
  readonly signal?: AbortSignal | undefined;
}

/** The inputs of the runs: samples, or one set of made-up feeds. */
export type ValueFeeds = Pick<Dataset, 'count' | 'feed'>;

/**
 * The float values that both models compute, in the execution order of the first: outputs of paired nodes, and of what was
 * folded into them. Rounded values stand in their rounded form.
 */
export function valuePairs(a: Model, b: Model, { pairing, nodes }: ModelComparison): ValuePair[] {
  const last = new Map<Node, Node>();
  for (const change of nodes.changes) {
    for (const companion of change.companions) {
      if (isQuantizer(companion) || isDequantizer(companion)) continue;
      const host = change.a?.graph === companion.graph ? change.a : change.b;
      const foot = host === undefined ? undefined : (last.get(host) ?? host);
      // Only what follows the node: a Pad before it changes nothing of its output.
      if (host !== undefined && companion.inputs.some((value) => value?.producer === foot)) last.set(host, companion);
    }
  }
  const [typesA, typesB] = [inferTypes(a), inferTypes(b)];
  const pairs: ValuePair[] = [];
  for (const node of a.graph.nodes()) {
    const partner = pairing.partner(node);
    if (partner === undefined || isQuantizer(node) || isDequantizer(node) || node.is('Constant')) continue;
    const [footA, footB] = [last.get(node) ?? node, last.get(partner) ?? partner];
    footA.outputs.forEach((value, i) => {
      const other = footB.outputs[i];
      if (other === undefined || value.name === '' || other.name === '') return;
      const isFloat =
        typesA.get(value)?.elemType === DataType.float32 && typesB.get(other)?.elemType === DataType.float32;
      if (isFloat) pairs.push({ node, a: value, b: other });
    });
  }
  return pairs;
}

/**
 * Runs both models on the same feeds and compares their values next to the engine: a bounded number is fetched at once, and
 * only sums come back. Without graph optimisation, so that every value is computed as the file says.
 * @throws EdgepackError where a model does not run.
 */
export async function compareValues(
  a: Model,
  b: Model,
  pairs: readonly ValuePair[],
  feeds: ValueFeeds,
  engine: Engine,
  { interfaces, logger, signal }: CompareValuesContext,
): Promise<ValueDifference[]> {
  const inputNames = new Map(interfaces.inputs.map(([x, y]) => [y?.name ?? '', x?.name ?? '']));
  const formsA = exposed(
    a,
    pairs.map((pair) => pair.a),
  );
  const formsB = exposed(
    b,
    pairs.map((pair) => pair.b),
    inputNames,
  );
  const options = { exact: true, optimization: 'disabled' } as const;
  const first = await loadPieces(engine, formsA.pieces, { ...options, label: 'the first model' });
  const second = await loadPieces(engine, formsB.pieces, { ...options, label: 'the second model' });
  const results: ValueDifference[] = [];
  const compare = async (chunk: readonly ValuePair[]): Promise<void> => {
    const names = chunk.map((pair) => ({ reference: formsA.names.get(pair.a)!, candidate: formsB.names.get(pair.b)! }));
    try {
      const comparison = engine.compare(first, second, names);
      for (let i = 0; i < feeds.count; i++) {
        signal?.throwIfAborted();
        await comparison.add(await feeds.feed(i));
      }
      const statistics = await comparison.result();
      chunk.forEach((pair, i) => {
        results.push({ ...pair, statistics: statistics[i]! });
      });
    } catch (error) {
      const isShape = error instanceof EdgepackError && error.message.includes('differ in shape');
      if (!isShape) throw error;
      // One of them is of another shape: found by halves.
      if (chunk.length === 1) results.push({ ...chunk[0]!, statistics: undefined });
      else {
        await compare(chunk.slice(0, chunk.length >> 1));
        await compare(chunk.slice(chunk.length >> 1));
      }
    }
  };
  const progress = logger.progress('Comparing values', pairs.length);
  try {
    for (const chunk of chunks(pairs, formsA.sizes)) {
      await compare(chunk);
      progress.update(results.length);
    }
  } finally {
    progress.done();
    await first.release();
    await second.release();
  }
  return results;
}

/** A copy of the model that also gives these values, those that are rounded in their rounded form. */
function exposed(model: Model, values: readonly Value[], inputNames: ReadonlyMap<string, string> = new Map()) {
  const copy = cloneModel(model);
  const types = inferTypes(model);
  const byName = new Map<string, Value>();
  for (const node of copy.graph.nodes()) for (const output of node.outputs) byName.set(output.name, output);
  const outputs = new Set(copy.graph.outputs);
  const names = new Map<Value, string>();
  const sizes = new Map<Value, number>();
  for (const value of values) {
    const form = roundedForm(copy, byName.get(value.name)!);
    names.set(value, form.name);
    const dims = types.get(value)?.shape;
    const known = dims?.every((dim) => typeof dim === 'number') === true;
    sizes.set(value, known ? 4 * dims.reduce<number>((size, dim) => size * Number(dim), 1) : UNKNOWN_BYTES);
    if (outputs.has(form)) continue;
    form.type ??= tensorType(DataType.float32, undefined);
    outputs.add(form);
    copy.graph.outputs.push(form);
  }
  for (const input of copy.graph.inputs) input.name = inputNames.get(input.name) ?? input.name;
  return { pieces: encodeModel(copy).pieces, names, sizes };
}

function roundedForm(model: Model, value: Value): Value {
  const quantizer = value.consumers.find((node) => isQuantizer(node) && node.input(0) === value);
  if (quantizer === undefined || model.graph.isOutput(value)) return value;
  const dequantizer = quantizer.output.consumers.find((node) => isDequantizer(node));
  if (dequantizer !== undefined) return dequantizer.output;
  // The integers go on through a node that only moves them: a DequantizeLinear is added for who looks.
  const added = model.graph.create('DequantizeLinear', [quantizer.output, ...quantizer.inputs.slice(1)], {
    domain: quantizer.domain,
  });
  return added.output;
}

function* chunks(pairs: readonly ValuePair[], sizes: ReadonlyMap<Value, number>): Generator<ValuePair[]> {
  let chunk: ValuePair[] = [];
  let size = 0;
  for (const pair of pairs) {
    const own = sizes.get(pair.a) ?? UNKNOWN_BYTES;
    if (chunk.length > 0 && size + own > CHUNK_BYTES) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(pair);
    size += own;
  }
  if (chunk.length > 0) yield chunk;
}

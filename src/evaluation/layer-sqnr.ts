import type { Dataset } from '../data/dataset.ts';
import { cloneModel } from '../formats/onnx/clone-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import { inferShapes } from '../ir/infer-shapes.ts';
import type { Model } from '../ir/model.ts';
import { tensorType } from '../ir/types.ts';
import type { Value } from '../ir/value.ts';
import type { Engine } from '../runtime/engine.ts';
import { loadPieces } from '../runtime/load-pieces.ts';
import { DataType } from '../tensor/data-type.ts';

/** Bytes of intermediate results that are fetched at once. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/**
 * Signal to noise ratio of intermediate values in dB, the reference model against the quantized one, by the value's name
 * in the reference; missing where the value is gone, null where it is identical. Rounded values are compared in their
 * rounded form.
 */
export async function layerSqnr(
  reference: Model,
  quantized: Model,
  valueNames: readonly string[],
  samples: Dataset,
  engine: Engine,
): Promise<Map<string, number | null>> {
  const rounded = cloneModel(quantized);
  const counterparts = roundedForms(rounded);
  const pairs = valueNames
    .filter((name) => counterparts.has(name))
    .map((name) => ({ reference: name, candidate: counterparts.get(name)! }));
  inferShapes(reference);
  const types = new Map(allValues(reference).map((value) => [value.name, value.elemType ?? DataType.float32]));
  const sizes = new Map(allValues(reference).map((value) => [value.name, byteLengthOf(value)]));
  const first = await loadPieces(engine, exposing(cloneModel(reference), types, pairs, 'reference'), {
    label: 'the float model',
  });
  const second = await loadPieces(engine, exposing(rounded, types, pairs, 'candidate'), {
    exact: true,
    label: 'the int8 model',
  });
  const result = new Map<string, number | null>();
  try {
    for (const chunk of chunks(pairs, (pair) => sizes.get(pair.reference) ?? 0)) {
      const comparison = engine.compare(first, second, chunk);
      for (let i = 0; i < samples.count; i++) await comparison.add(await samples.feed(i));
      for (const { reference: name, sqnrDb } of await comparison.result()) {
        if (!Number.isNaN(sqnrDb)) result.set(name, Number.isFinite(sqnrDb) ? sqnrDb : null);
      }
    }
  } finally {
    await first.release();
    await second.release();
  }
  return result;
}

/**
 * For every float value of a quantized model, the value that readers get: its rounded form, where it has one. Where the integers
 * go on through a node that only moves them, a DequantizeLinear is added for who looks.
 */
function roundedForms(model: Model): Map<string, string> {
  const forms = new Map<string, string>();
  for (const value of allValues(model)) {
    const quantizer = value.consumers.find((node) => node.is('QuantizeLinear') && node.input(0) === value);
    const rounded =
      quantizer?.output.consumers.find((node) => node.is('DequantizeLinear')) ??
      (quantizer === undefined
        ? undefined
        : model.graph.create('DequantizeLinear', [quantizer.output, ...quantizer.inputs.slice(1)]));
    forms.set(value.name, rounded?.output.name ?? value.name);
  }
  return forms;
}

/** The file of a model, which gets its values of these pairs as outputs. */
function exposing(
  model: Model,
  types: ReadonlyMap<string, number>,
  pairs: readonly { readonly reference: string; readonly candidate: string }[],
  side: 'reference' | 'candidate',
): readonly Uint8Array[] {
  const values = new Map(allValues(model).map((value) => [value.name, value]));
  for (const pair of pairs) {
    const value = values.get(pair[side])!;
    if (model.graph.isOutput(value)) continue;
    value.type ??= tensorType(types.get(pair.reference)!, undefined);
    model.graph.outputs.push(value);
  }
  return encodeModel(model).pieces;
}

function allValues(model: Model): Value[] {
  return [...model.graph.nodes()].flatMap((node) => node.outputs.filter((output) => output.name !== ''));
}

function byteLengthOf(value: Value): number {
  return 4 * (value.shape ?? []).reduce<number>((size, dim) => size * (typeof dim === 'number' ? dim : 1), 1);
}

function* chunks<T>(items: readonly T[], sizeOf: (item: T) => number): Generator<T[]> {
  let chunk: T[] = [];
  let size = 0;
  for (const item of items) {
    if (chunk.length > 0 && size + sizeOf(item) > CHUNK_BYTES) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(item);
    size += sizeOf(item);
  }
  if (chunk.length > 0) yield chunk;
}

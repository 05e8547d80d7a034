import { parse } from 'node:path';
import { printable } from '../diagnostics/printable.ts';
import { findSaturation } from '../evaluation/find-saturation.ts';
import { integerProducts } from '../evaluation/integer-products.ts';
import { readModel } from '../formats/onnx/read-model.ts';
import { cost } from '../ir/cost.ts';
import { inferShapes } from '../ir/infer-shapes.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import { inferTypes } from '../ir/shape-inference/infer-types.ts';
import type { ValueType } from '../ir/types.ts';
import type { Value } from '../ir/value.ts';
import type { Inspection } from '../report/inspection-schema.ts';
import { type ChosenProvider, chooseProvider } from '../targets/choose-provider.ts';
import { loadTarget } from '../targets/load-target.ts';
import type { Target } from '../targets/target-schema.ts';
import { dataTypeName } from '../tensor/data-type.ts';
import type { InspectOptions } from './api-types.ts';
import { compressOptionsSchema } from './compress-options.ts';
import { countOperators, unknownDomains } from './count-operators.ts';
import { findBlockers } from './find-blockers.ts';
import { shapeNotice } from './follow-provider.ts';
import { inspectProvider } from './inspect-provider.ts';
import { listLayers } from './list-layers.ts';
import { modelFacts } from './model-facts.ts';
import { modelMemory } from './model-memory.ts';
import { withUnpacked } from './unpacked-model.ts';

/**
 * Says what is in a model file (`.onnx`, `.ort` or `.epk`), what keeps it from int8 and where its int8 can saturate. Nothing is run and no engine is
 * needed. Dimensions that the model leaves open count as 1 in the MACs.
 * @throws EdgepackError where the model cannot be read.
 */
export async function inspect(modelPath: string, options: InspectOptions = {}): Promise<Inspection> {
  const target = askedTarget(options);
  const provider = target === undefined ? undefined : chooseProvider(target, options.provider);
  return withUnpacked(modelPath, (onnxPath) => inspectOnnx(modelPath, onnxPath, options, target, provider));
}

async function inspectOnnx(
  modelPath: string,
  onnxPath: string,
  options: InspectOptions,
  target: Target | undefined,
  provider: ChosenProvider | undefined,
): Promise<Inspection> {
  const model = readModel(onnxPath, { ...options, ort: true });
  const costs = cost(model);
  const layerList = listLayers(model, costs);
  const operators = countOperators(model, costs);
  const facts = modelFacts(model, onnxPath, { cost: costs, layers: layerList, files: options });
  const types = inferTypes(model);
  const integer = new Set(integerProducts(model, types).map(({ node }) => node));
  const saturation = findSaturation(model, types);
  const found = {
    inspectionVersion: 1 as const,
    model: { ...facts, path: modelPath, name: parse(modelPath).name },
    operators,
    unknownDomains: unknownDomains(model, operators),
    layers: layerList.layers.map(({ node, ...layer }) => layer),
    bytesByType: bytesByType(model),
    memory: modelMemory(model),
    warnings: warningsOf(model),
  };
  const state = quantizationState(
    layerList.layers.map(({ node }) => node),
    integer,
  );
  options.signal?.throwIfAborted();
  inferShapes(model);
  const inputs = model.graph.inputs.filter((value) => value.tensor === undefined).map(describeValue);
  const outputs = model.graph.outputs.map(describeValue);
  const shapes = provider === undefined ? [] : shapeNotice(model, provider);
  const blockers = await findBlockers(model, options.signal);
  return {
    ...found,
    warnings: [...found.warnings, ...shapes],
    inputs,
    outputs,
    quantization: { state, blockers, saturation: mutable(saturation) },
    ...(target === undefined || provider === undefined ? {} : { provider: inspectProvider(model, provider, target) }),
  };
}

function askedTarget({ target, provider }: InspectOptions): Target | undefined {
  if (target === undefined && provider === undefined) return undefined;
  return loadTarget(target ?? compressOptionsSchema.shape.target.parse(undefined));
}

function mutable(saturation: ReturnType<typeof findSaturation>): Inspection['quantization']['saturation'] {
  return saturation === null ? null : { ...saturation, where: [...saturation.where] };
}

function describeValue({ name, type }: Value): Inspection['inputs'][number] {
  return { name, dataType: typeName(type), shape: shapeOf(type) };
}

function typeName(type: ValueType | undefined): string {
  if (type === undefined || type.kind === 'unknown') return 'unknown';
  return type.kind === 'tensor' || type.kind === 'sparse-tensor' ? dataTypeName(type.elemType) : type.kind;
}

function shapeOf(type: ValueType | undefined): Inspection['inputs'][number]['shape'] {
  if (type?.kind !== 'tensor' && type?.kind !== 'sparse-tensor') return null;
  return type.shape?.map((dim) => (dim === undefined || (typeof dim === 'number' && dim < 0) ? null : dim)) ?? null;
}

/** Initializers and Constant nodes, subgraphs included, the most bytes first. */
function bytesByType(model: Model): Inspection['bytesByType'] {
  const types = new Map<string, { initializers: number; sizeBytes: number }>();
  for (const graph of model.graph.allGraphs()) {
    const constants = Array.from(graph.nodes(), (node) => (node.is('Constant') ? node.tensor('value') : undefined));
    for (const tensor of [...Array.from(graph.initializers, (value) => value.tensor), ...constants]) {
      if (tensor === undefined) continue;
      const name = dataTypeName(tensor.dataType);
      const entry = types.get(name) ?? { initializers: 0, sizeBytes: 0 };
      types.set(name, { initializers: entry.initializers + 1, sizeBytes: entry.sizeBytes + tensor.byteLength });
    }
  }
  return Array.from(types, ([dataType, entry]) => ({ dataType, ...entry })).sort((a, b) => b.sizeBytes - a.sizeBytes);
}

/** Layers whose products could run in integers. */
const PRODUCTS = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'LSTM', 'GRU', 'RNN'] as const;

function quantizationState(layers: readonly Node[], integer: ReadonlySet<Node>): Inspection['quantization']['state'] {
  const floats = layers.filter((node) => node.is(...PRODUCTS) && !integer.has(node)).length;
  if (integer.size === 0) return 'float';
  return floats === 0 ? 'int8' : 'mixed';
}

function warningsOf(model: Model): Inspection['warnings'] {
  const warnings: Inspection['warnings'] = [];
  const open = new Set<string>();
  for (const value of model.graph.inputs) {
    const type = value.tensor === undefined && value.type?.kind === 'tensor' ? value.type : undefined;
    // The first dimension is the batch, which is 1 in one run.
    for (const dim of type?.shape?.slice(1) ?? []) if (typeof dim !== 'number') open.add(dim ?? '?');
  }
  if (open.size > 0) {
    const names = [...open].slice(0, 8).map((name) => (name === '?' ? 'unnamed ones' : `'${printable(name, 40)}'`));
    if (open.size > names.length) names.push(`${open.size - names.length} more`);
    warnings.push({
      code: 'open-dimensions',
      message: `multiply-accumulates (MACs) count open dimensions (${names.join(', ')}) as 1`,
    });
  }
  if (model.functions.length > 0) {
    const message = `${model.functions.length} functions of the file are not looked into: neither their MACs nor whether they saturate`;
    warnings.push({ code: 'functions', message });
  }
  return warnings;
}

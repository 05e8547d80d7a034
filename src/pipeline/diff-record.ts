import type { ConstantDistance } from '../comparison/compare-constants.ts';
import type { ModelComparison } from '../comparison/compare-models.ts';
import type { ValueDifference } from '../comparison/compare-values.ts';
import type { WeightChange } from '../comparison/compare-weights.ts';
import { type ConstantSource, constantSource } from '../comparison/constant-source.ts';
import type { InterfacePair } from '../comparison/match-interfaces.ts';
import { cost } from '../ir/cost.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import type { Value } from '../ir/value.ts';
import type { Diff, DiffNode, WeightChangeRecord } from '../report/diff-schema.ts';
import { dataTypeName } from '../tensor/data-type.ts';
import type { DiffSide } from './diff.ts';
import { listLayers } from './list-layers.ts';

/** Below this, rounding in another order does not explain a difference of float32 values. */
const PARTED_DB = 100;

interface RanValues {
  readonly ran: {
    readonly data: string | null;
    readonly samples: number;
    readonly seed: number | null;
    readonly differences: readonly ValueDifference[];
  } | null;
  readonly warnings: Diff['warnings'];
}

/** The record of a comparison. */
export function diffRecord(a: DiffSide, b: DiffSide, comparison: ModelComparison, { ran, warnings }: RanValues): Diff {
  const properties = differentProperties(a.model, b.model);
  const inputs = comparison.interfaces.inputs.flatMap(interfaceChange);
  const outputs = comparison.interfaces.outputs.flatMap(interfaceChange);
  const { nodes, weights } = comparison;
  const nodeChanges = nodes.changes.map(({ kind, a: first, b: second, details, companions }) => ({
    kind,
    a: nodeRecord(first),
    b: nodeRecord(second),
    details: details.map((detail) => ({ ...detail })),
    companions: companions.map((node) => nodeRecord(node)!),
  }));
  const same = [properties, inputs, outputs, nodeChanges, weights.changes].every((list) => list.length === 0);
  return {
    diffVersion: 1,
    a: a.facts,
    b: b.facts,
    identical: same,
    properties,
    inputs,
    outputs,
    nodes: { unchanged: nodes.unchanged, changes: nodeChanges },
    weights: { identical: weights.identical, changes: weights.changes.map(weightRecord) },
    layers: layerBytes(a.model, b.model, comparison),
    values: ran === null ? null : valueRecords(a.model, ran),
    warnings,
  };
}

function nodeRecord(node: Node): DiffNode;
function nodeRecord(node: Node | undefined): DiffNode | null;
function nodeRecord(node: Node | undefined): DiffNode | null {
  if (node === undefined) return null;
  const { name, opType, domain } = node;
  return { name: name || (node.outputs[0]?.name ?? ''), opType, domain };
}

function differentProperties(a: Model, b: Model): Diff['properties'] {
  const [first, second] = [propertiesOf(a), propertiesOf(b)];
  return [...new Set([...first.keys(), ...second.keys()])]
    .filter((name) => first.get(name) !== second.get(name))
    .map((name) => ({ name, a: first.get(name) ?? null, b: second.get(name) ?? null }));
}

function propertiesOf(model: Model): Map<string, string> {
  const properties = new Map([
    ['IR version', String(model.irVersion)],
    ['producer', `${model.producerName} ${model.producerVersion}`.trim()],
    ['domain', model.domain],
    ['graph name', model.graph.name],
    ['doc string', model.docString],
  ]);
  for (const [domain, version] of model.opsetImports) {
    properties.set(`opset ${domain === '' || domain === 'ai.onnx' ? 'onnx' : domain}`, String(version));
  }
  for (const [key, value] of model.metadata) properties.set(`metadata ${key}`, value);
  for (const { domain, name } of model.functions) properties.set(`function ${domain}.${name}`, 'defined');
  return properties;
}

function interfaceChange([a, b]: InterfacePair): Diff['inputs'] {
  const [first, second] = [describe(a), describe(b)];
  if (first === null) return [{ kind: 'added', a: first, b: second }];
  if (second === null) return [{ kind: 'removed', a: first, b: second }];
  const isSameType = first.dataType === second.dataType && `${first.shape}` === `${second.shape}`;
  if (!isSameType) return [{ kind: 'changed', a: first, b: second }];
  return first.name === second.name ? [] : [{ kind: 'renamed', a: first, b: second }];
}

function describe(value: Value | undefined): Diff['inputs'][number]['a'] {
  if (value === undefined) return null;
  const { name, type } = value;
  if (type?.kind !== 'tensor' && type?.kind !== 'sparse-tensor') {
    return { name, dataType: type?.kind ?? 'unknown', shape: null };
  }
  const shape =
    type.shape?.map((dim) => (dim === undefined || (typeof dim === 'number' && dim < 0) ? null : dim)) ?? null;
  return { name, dataType: dataTypeName(type.elemType), shape };
}

function weightRecord({
  kind,
  a,
  b,
  layer,
  isQuantizationParameter,
  isFolded,
  distance,
}: WeightChange): WeightChangeRecord {
  return {
    kind,
    a: constantRecord(a),
    b: constantRecord(b),
    layer: nodeRecord(layer),
    quantizationParameter: isQuantizationParameter,
    folded: isFolded,
    distance: distance === undefined ? null : distanceRecord(distance),
  };
}

function distanceRecord(distance: ConstantDistance): NonNullable<WeightChangeRecord['distance']> {
  return {
    maxAbsoluteError: finite(distance.maxAbsoluteError),
    sqnrDb: distance.sqnrDb,
    changedRatio: distance.changedRatio,
    sparsityRatioA: distance.sparsityA,
    sparsityRatioB: distance.sparsityB,
    transposed: distance.isTransposed,
  };
}

function constantRecord(source: ConstantSource | undefined): WeightChangeRecord['a'] {
  if (source === undefined) return null;
  const { value, tensor, dequantizer } = source;
  return {
    name: value.name,
    dataType: dataTypeName(tensor.dataType),
    dequantized: dequantizer !== undefined,
    shape: [...tensor.dims],
    sizeBytes: tensor.byteLength,
  };
}

/** Bytes of the layers with weights, in the order of the first model, then what only the second has. */
function layerBytes(a: Model, b: Model, { pairing }: ModelComparison): Diff['layers'] {
  const [first, second] = [a, b].map((model) => listLayers(model, cost(model)).layers);
  const bytesOfB = new Map(second!.map(({ node, weightBytes }) => [node, weightBytes]));
  const rows: Diff['layers'] = [];
  for (const { node, weightBytes } of first!) {
    const partner = pairing.partner(node);
    const bytesB = partner === undefined ? 0 : (bytesOfB.get(partner) ?? constantBytes(partner));
    if (partner !== undefined) bytesOfB.delete(partner);
    if (partner === undefined || bytesB !== weightBytes) {
      rows.push({ a: nodeRecord(node), b: nodeRecord(partner), bytesA: weightBytes, bytesB });
    }
  }
  for (const [node, bytesB] of bytesOfB) {
    const partner = pairing.partner(node);
    const bytesA = partner === undefined ? 0 : constantBytes(partner);
    if (bytesA !== bytesB) rows.push({ a: nodeRecord(partner), b: nodeRecord(node), bytesA, bytesB });
  }
  return rows;
}

/** Of a node that is no layer with weights in its model, but in the other: a Gather from a table of integers. */
function constantBytes(node: Node): number {
  return node.inputs.reduce((sum, value) => sum + (constantSource(value)?.tensor.byteLength ?? 0), 0);
}

function valueRecords(a: Model, { data, samples, seed, differences }: NonNullable<RanValues['ran']>): Diff['values'] {
  const outputs = new Set(a.graph.outputs);
  const all = differences.map(({ node, a: first, b: second, statistics }) => ({
    a: first.name,
    b: second.name,
    node: nodeRecord(node),
    graphOutput: outputs.has(first),
    sqnrDb: statistics === undefined ? null : finite(statistics.sqnrDb),
    maxAbsoluteError: statistics === undefined ? null : finite(statistics.maxAbsoluteError),
    nonFiniteCount: statistics?.nonFiniteCount ?? 0,
  }));
  const first = all.findIndex(
    ({ sqnrDb, maxAbsoluteError }) => maxAbsoluteError === null || (maxAbsoluteError > 0 && (sqnrDb ?? 0) < PARTED_DB),
  );
  return { data, samples, seed, all, firstDifference: first < 0 ? null : first };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

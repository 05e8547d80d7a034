import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import type { Attribute } from '../ir/types.ts';
import { dataTypeName } from '../tensor/data-type.ts';
import type { WeightComparison } from './compare-weights.ts';
import { constantSource, isDequantizer, isQuantizer, takenConstant } from './constant-source.ts';
import { attributeId, type InterfaceLabels, type Interner } from './graph-view.ts';
import { InputAnchors } from './input-anchors.ts';
import type { Pairing } from './pairing.ts';

/** What happened to a node. The order is the one in which they are shown. */
export const nodeChangeKinds = [
  'changed',
  'replaced',
  'quantized',
  'dequantized',
  'fused',
  'split',
  'stored-otherwise',
  'removed',
  'added',
  'renamed',
] as const;
export type NodeChangeKind = (typeof nodeChangeKinds)[number];

/** One thing that differs. */
export interface NodeDetail {
  readonly what: 'attribute' | 'operator' | 'precision' | 'weights' | 'inputs' | 'name' | 'output-name';
  /** Of the attribute or input; empty where there is only one. */
  readonly name: string;
  readonly a: string | null;
  readonly b: string | null;
}

export interface NodeChange {
  readonly kind: NodeChangeKind;
  readonly a: Node | undefined;
  readonly b: Node | undefined;
  readonly details: readonly NodeDetail[];
  /** Nodes of one model that belong to it: what was folded into it, or its QuantizeLinear and DequantizeLinear. */
  readonly companions: readonly Node[];
}

export interface NodeComparison {
  readonly changes: readonly NodeChange[];
  /** Pairs that are the same in all. */
  readonly unchanged: number;
}

type Draft = { -readonly [Key in keyof NodeChange]: NodeChange[Key] } & { details: NodeDetail[]; companions: Node[] };

/** Says of every node of two models what happened to it. */
export function compareNodes(
  models: readonly [Model, Model],
  labels: readonly [InterfaceLabels, InterfaceLabels],
  pairing: Pairing,
  weights: WeightComparison,
  interner: Interner,
): NodeComparison {
  const anchors = new InputAnchors(pairing, labels);
  const drafts = new Map<Node, Draft>();
  const order: Draft[] = [];
  const add = (draft: Draft) => {
    order.push(draft);
    if (draft.a !== undefined) drafts.set(draft.a, draft);
    if (draft.b !== undefined) drafts.set(draft.b, draft);
  };
  for (const a of models[0].graph.nodes()) {
    const b = pairing.partner(a);
    if (b === undefined) add({ kind: 'removed', a, b: undefined, details: [], companions: [] });
    else add(pairDraft(a, b, anchors, weights, interner));
  }
  for (const b of models[1].graph.nodes()) {
    if (!pairing.has(b)) add({ kind: 'added', a: undefined, b, details: [], companions: [] });
  }
  const gone = new Set<Draft>();
  gatherCompanions(order, drafts, pairing, gone);
  gatherStored(models, order, interner);
  let unchanged = 0;
  const changes = order.filter((draft) => {
    if (gone.has(draft)) return false;
    const isChanged = draft.kind !== 'renamed' || draft.details.length > 0;
    if (!isChanged) unchanged++;
    return isChanged;
  });
  return { changes, unchanged };
}

function pairDraft(a: Node, b: Node, anchors: InputAnchors, weights: WeightComparison, interner: Interner): Draft {
  const details: NodeDetail[] = [];
  const [before, after] = [precisionOf(a), precisionOf(b)];
  let kind: NodeChangeKind = 'renamed';
  if (a.opType !== b.opType || canonical(a.domain) !== canonical(b.domain) || a.overload !== b.overload) {
    details.push({ what: 'operator', name: '', a: operatorName(a), b: operatorName(b) });
    kind = 'replaced';
  }
  if (before !== after) {
    details.push({ what: 'precision', name: '', a: before ?? 'float', b: after ?? 'float' });
    kind = after === undefined ? 'dequantized' : before === undefined ? 'quantized' : 'changed';
  }
  details.push(...attributeDetails(a, b, interner));
  for (const slot of weights.changedSlots.get(a) ?? []) {
    const name = (node: Node) => constantSource(node.input(slot))?.value.name ?? null;
    details.push({ what: 'weights', name: `input ${slot}`, a: name(a), b: name(b) });
  }
  for (let slot = 0; slot < Math.max(a.inputs.length, b.inputs.length); slot++) {
    if (anchors.correspond(a.input(slot), b.input(slot))) continue;
    // Another operator has other inputs, and its constants in other places.
    if (kind === 'replaced' && (a.input(slot) === undefined || b.input(slot) === undefined)) continue;
    details.push({
      what: 'inputs',
      name: `input ${slot}`,
      a: a.input(slot)?.name ?? null,
      b: b.input(slot)?.name ?? null,
    });
  }
  if (kind === 'renamed' && details.length > 0) kind = 'changed';
  if (a.name !== b.name) details.push({ what: 'name', name: '', a: a.name, b: b.name });
  a.outputs.forEach((value, i) => {
    const other = b.outputs[i]?.name ?? null;
    if (value.name !== other) details.push({ what: 'output-name', name: `output ${i}`, a: value.name, b: other });
  });
  return { kind, a, b, details, companions: [] };
}

function canonical(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function operatorName(node: Node): string {
  return canonical(node.domain) === '' ? node.opType : `${node.domain}.${node.opType}`;
}

/** The storage type of a node's quantized inputs: "int8", or "int8 weights" where only constants are; undefined for float. */
function precisionOf(node: Node): string | undefined {
  if (isDequantizer(node) || isQuantizer(node)) return undefined;
  let ofWeights: string | undefined;
  let ofValues: string | undefined;
  const table = takenConstant(node, 0);
  if (table?.dequantizer?.input(0) === node.output) return `${dataTypeName(table.tensor.dataType)} weights`;
  for (const value of node.inputs) {
    const { producer } = value ?? {};
    // Nodes that only move values take the integers as they are.
    if (isQuantizer(producer) && constantSource(value) === undefined) ofValues ??= elementTypeOf(producer!);
    if (!isDequantizer(producer)) continue;
    const before = producer?.input(0)?.producer;
    // What a Gather takes from a quantized table is quantized there, not here.
    if (before !== undefined && takenConstant(before, 0)?.dequantizer === producer) continue;
    const source = constantSource(value);
    if (source === undefined) ofValues ??= elementTypeOf(producer!);
    else if (ofWeights === undefined) ofWeights = dataTypeName(source.tensor.dataType);
  }
  if (ofValues !== undefined) return ofWeights ?? ofValues;
  return ofWeights === undefined ? undefined : `${ofWeights} weights`;
}

function elementTypeOf(dequantizer: Node): string {
  const zeroPoint = constantSource(dequantizer.input(2))?.tensor;
  return zeroPoint === undefined ? 'uint8' : dataTypeName(zeroPoint.dataType);
}

function attributeDetails(a: Node, b: Node, interner: Interner): NodeDetail[] {
  const names = [...new Set([...a.attributes.keys(), ...b.attributes.keys()])].sort();
  return names.flatMap((name) => {
    const [first, second] = [a.attributes.get(name), b.attributes.get(name)];
    const isSame =
      first !== undefined && second !== undefined && attributeId(first, interner) === attributeId(second, interner);
    if (isSame) return [];
    return [{ what: 'attribute' as const, name, a: attributeText(first), b: attributeText(second) }];
  });
}

const utf8 = new TextDecoder();
const SHOWN_ELEMENTS = 32;

function attributeText(attribute: Attribute | undefined): string | null {
  if (attribute === undefined) return null;
  switch (attribute.kind) {
    case 'string':
      return utf8.decode(attribute.value.subarray(0, 256));
    case 'strings':
      return attribute.value
        .slice(0, SHOWN_ELEMENTS)
        .map((text) => utf8.decode(text.subarray(0, 64)))
        .join(', ');
    case 'tensor':
      return `${dataTypeName(attribute.value.dataType)} [${attribute.value.dims.join(', ')}]`;
    case 'graph':
      return `a graph of ${attribute.value.nodeCount} nodes`;
    case 'int':
    case 'float':
      return String(attribute.value);
    case 'ints':
    case 'floats': {
      const more = attribute.value.length > SHOWN_ELEMENTS ? ', …' : '';
      return `[${attribute.value.slice(0, SHOWN_ELEMENTS).join(', ')}${more}]`;
    }
    default:
      return attribute.kind;
  }
}

/** Operators whose weights take up a scale and a shift that follow or lead. */
const products = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'];
const foldable = ['BatchNormalization', 'Mul', 'Div', 'Add', 'Sub', 'Relu', 'Clip'];

/** Gives nodes that only one model has to the pair that they belong to. */
function gatherCompanions(
  order: readonly Draft[],
  drafts: ReadonlyMap<Node, Draft>,
  pairing: Pairing,
  gone: Set<Draft>,
): void {
  const absorb = (draft: Draft, host: Draft) => {
    const node = (draft.a ?? draft.b)!;
    host.companions.push(node);
    gone.add(draft);
    hosts.set(node, host);
    const isCarrying = isDequantizer(node) || isQuantizer(node);
    if (!isCarrying && (host.kind === 'changed' || host.kind === 'renamed')) {
      host.kind = draft.kind === 'removed' ? 'fused' : 'split';
    }
  };
  const hosts = new Map<Node, Draft>();
  for (const draft of order) {
    const node = onlyNode(draft);
    if (node === undefined) continue;
    const host =
      isDequantizer(node) || isQuantizer(node) ? quantizedHost(node, drafts) : foldingHost(node, drafts, pairing);
    if (host !== undefined) absorb(draft, host);
  }
  // What computed only what is gone with them.
  for (let i = order.length - 1; i >= 0; i--) {
    const draft = order[i]!;
    const node = onlyNode(draft);
    if (node === undefined || gone.has(draft)) continue;
    const readers = node.outputs.flatMap((value) => value.consumers);
    const host = readers[0] === undefined ? undefined : hosts.get(readers[0]);
    if (host !== undefined && readers.every((reader) => hosts.get(reader) === host)) absorb(draft, host);
  }
}

function onlyNode(draft: Draft): Node | undefined {
  return draft.kind === 'removed' ? draft.a : draft.kind === 'added' ? draft.b : undefined;
}

function quantizedHost(node: Node, drafts: ReadonlyMap<Node, Draft>): Draft | undefined {
  const isHost = (candidate: Node | undefined) => {
    const draft = candidate === undefined ? undefined : drafts.get(candidate);
    return draft?.kind === 'quantized' || draft?.kind === 'dequantized' ? draft : undefined;
  };
  for (const reader of node.output.consumers) {
    const direct = isHost(reader);
    if (direct !== undefined) return direct;
    if (!isDequantizer(reader) || !isQuantizer(node)) continue;
    for (const next of reader.output.consumers) {
      const host = isHost(next);
      if (host !== undefined) return host;
    }
  }
  let producer = node.input(0)?.producer;
  if (isQuantizer(producer)) producer = producer?.input(0)?.producer;
  return isHost(producer);
}

/** The product before an affine node that only one model has, where its own constants differ between the models. */
function foldingHost(node: Node, drafts: ReadonlyMap<Node, Draft>, pairing: Pairing): Draft | undefined {
  if (node.is('Pad')) return paddedHost(node, drafts);
  if (!node.is(...foldable)) return undefined;
  const constants = node.inputs.filter((value) => constantSource(value) !== undefined).length;
  if (node.inputs.length > 1 && constants !== node.inputs.length - 1) return undefined;
  let value = node.inputs.find((input) => constantSource(input) === undefined);
  for (let step = 0; step < 4; step++) {
    const { producer } = value ?? {};
    if (producer === undefined || value === undefined || value.consumers.length !== 1) return undefined;
    if (pairing.has(producer)) {
      const host = drafts.get(producer);
      const hasOwnChange = host?.details.some(
        ({ what }) => what === 'weights' || what === 'inputs' || what === 'operator' || what === 'precision',
      );
      // Activations go into the range of the integers, whatever they follow.
      const isClamped = host?.kind === 'quantized' || host?.kind === 'dequantized';
      if (node.is('Relu', 'Clip') && isClamped) return host;
      return producer.is(...products) && hasOwnChange === true ? host : undefined;
    }
    if (!producer.is(...foldable) && !isDequantizer(producer) && !isQuantizer(producer)) return undefined;
    value = producer.inputs.find((input) => constantSource(input) === undefined);
  }
  return undefined;
}

/** The convolution behind a Pad, where it pads otherwise itself. */
function paddedHost(node: Node, drafts: ReadonlyMap<Node, Draft>): Draft | undefined {
  const { consumers } = node.output;
  const host = consumers.length === 1 ? drafts.get(consumers[0]!) : undefined;
  return host?.details.some(({ what, name }) => what === 'attribute' && name === 'pads') === true ? host : undefined;
}

/** Constants that one model keeps as a node and the other as an initializer. */
function gatherStored(models: readonly [Model, Model], order: readonly Draft[], interner: Interner): void {
  const contents = models.map(
    (model) =>
      new Set(
        Array.from(model.graph.initializers, ({ tensor }) => (tensor === undefined ? -1 : interner.content(tensor))),
      ),
  );
  for (const draft of order) {
    const node = onlyNode(draft);
    const tensor = node?.is('Constant') === true ? node.tensor('value') : undefined;
    if (tensor === undefined) continue;
    if (contents[draft.kind === 'removed' ? 1 : 0]!.has(interner.content(tensor))) draft.kind = 'stored-otherwise';
  }
}

import { createHash } from 'node:crypto';
import type { Graph } from '../ir/graph.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import { scaledIntegers } from '../ir/scaled-integers.ts';
import type { Attribute } from '../ir/types.ts';
import type { Value } from '../ir/value.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Gives equal keys the same number, in both models of a comparison. Keys are kept whole: nothing collides. */
export class Interner {
  readonly #ids = new Map<string, number>();
  readonly #contents = new Map<Tensor, number>();

  id(key: string): number {
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(key, id);
    }
    return id;
  }

  /** The same for tensors of the same type, shape and bytes; names do not count. */
  content(tensor: Tensor): number {
    let id = this.#contents.get(tensor);
    if (id === undefined) {
      const hash = createHash('sha256');
      for (const text of tensor.data.strings?.() ?? []) hash.update(`${text.byteLength}:`).update(text);
      const digest = hash.update(tensor.bytes()).digest('base64');
      id = this.id(`tensor ${tensor.dataType} [${tensor.dims}] ${digest}`);
      this.#contents.set(tensor, id);
    }
    return id;
  }
}

/** Where an input of a node comes from. */
export type Source =
  | { readonly kind: 'node'; readonly from: ViewNode; readonly output: number }
  | { readonly kind: 'input'; readonly label: string }
  | { readonly kind: 'constant'; readonly content: number; readonly dims: string; readonly elementCount: number }
  | { readonly kind: 'none' };

export interface Use {
  readonly by: ViewNode;
  readonly slot: number;
  readonly output: number;
}

/** A node with what matching looks at. */
export interface ViewNode {
  readonly node: Node;
  /** Place in the view's list, which is in execution order. */
  readonly index: number;
  /** Domain and operator. */
  readonly operator: string;
  /** The same for equal attributes. */
  readonly attributes: number;
  /** Own inputs, then values that subgraphs take from outside. */
  readonly sources: Source[];
  readonly uses: Use[];
  /** The graph outputs that it gives, by label. */
  readonly graphOutputs: { readonly label: string; readonly output: number }[];
}

/** Nodes that only carry values or constants on: matching looks through them first. */
const carriers = ['Constant', 'Identity', 'Dropout', 'QuantizeLinear', 'DequantizeLinear', 'Cast'];

export function isCarrier(node: Node): boolean {
  const isNamed = (node.is(node.opType) || node.domain === 'com.microsoft') && carriers.includes(node.opType);
  return isNamed || scaledIntegers(node) !== undefined;
}

/** Names of inputs and outputs as both models are taken to understand them. */
export interface InterfaceLabels {
  readonly inputs: ReadonlyMap<Value, string>;
  readonly outputs: readonly string[];
}

/**
 * The main graph as matching sees it.
 * @param isThrough true for nodes that are looked through: they are left out, and their first input stands for their output.
 */
export function graphView(
  model: Model,
  labels: InterfaceLabels,
  interner: Interner,
  isThrough: (node: Node) => boolean,
): ViewNode[] {
  const view: ViewNode[] = [];
  const sources = new Map<Value, Source>();
  const sourceOf = (value: Value | undefined): Source => {
    if (value === undefined) return { kind: 'none' };
    return sources.get(value) ?? outerSource(value, labels, interner);
  };
  for (const node of model.graph.nodes()) {
    if (isThrough(node)) {
      const source = throughSource(node, sourceOf, interner);
      for (const output of node.outputs) sources.set(output, source);
      continue;
    }
    const captured = node.subgraphs().flatMap((graph) => capturedValues(graph));
    const viewNode: ViewNode = {
      node,
      index: view.length,
      operator: `${node.domain === 'ai.onnx' ? '' : node.domain} ${node.opType} ${node.overload}`,
      attributes: attributesId(node, interner),
      sources: [...node.inputs, ...captured].map(sourceOf),
      uses: [],
      graphOutputs: [],
    };
    viewNode.sources.forEach((source, slot) => {
      if (source.kind === 'node') source.from.uses.push({ by: viewNode, slot, output: source.output });
    });
    node.outputs.forEach((value, output) => {
      sources.set(value, { kind: 'node', from: viewNode, output });
    });
    view.push(viewNode);
  }
  model.graph.outputs.forEach((value, i) => {
    const source = sourceOf(value);
    if (source.kind === 'node') source.from.graphOutputs.push({ label: labels.outputs[i]!, output: source.output });
  });
  return view;
}

function outerSource(value: Value, labels: InterfaceLabels, interner: Interner): Source {
  if (value.tensor !== undefined) return constantSource(value.tensor, interner);
  return { kind: 'input', label: labels.inputs.get(value) ?? `unknown ${value.name}` };
}

function constantSource(tensor: Tensor, interner: Interner): Source {
  return {
    kind: 'constant',
    content: interner.content(tensor),
    dims: tensor.dims.join(),
    elementCount: tensor.elementCount,
  };
}

function throughSource(node: Node, sourceOf: (value: Value | undefined) => Source, interner: Interner): Source {
  if (node.opType === 'Constant') {
    const tensor = node.tensor('value');
    if (tensor !== undefined) return constantSource(tensor, interner);
    const content = interner.id(`constant ${attributesId(node, interner)}`);
    return { kind: 'constant', content, dims: '', elementCount: 1 };
  }
  const source = sourceOf(node.input(0));
  if (source.kind !== 'constant' || node.inputs.length < 2) return source;
  const parameters = node.inputs.slice(1).map((value) => {
    const parameter = sourceOf(value);
    return parameter.kind === 'constant' ? parameter.content : '?';
  });
  return { ...source, content: interner.id(`${node.opType} of ${source.content} by ${parameters}`) };
}

/** Values of the graphs around that a subgraph reads, in the order of their first use. */
export function capturedValues(graph: Graph): Value[] {
  const own = new Set<Value>();
  const captured = new Set<Value>();
  for (const inner of graph.allGraphs()) {
    for (const value of [...inner.inputs, ...inner.initializers]) own.add(value);
    for (const node of inner.nodes()) for (const output of node.outputs) own.add(output);
  }
  for (const inner of graph.allGraphs()) {
    const read = Array.from(inner.nodes(), (node) => node.inputs).flat();
    for (const value of [...read, ...inner.outputs]) if (value !== undefined && !own.has(value)) captured.add(value);
  }
  return [...captured];
}

export function attributesId(node: Node, interner: Interner): number {
  if (node.attributes.size === 0) return interner.id('no attributes');
  const texts = Array.from(
    node.attributes.values(),
    (attribute) => `${attribute.name}=${attributeId(attribute, interner)}`,
  );
  return interner.id(`attributes ${texts.sort().join(';')}`);
}

/** The same for attributes of the same kind and content; of graphs, whatever their names are. */
export function attributeId(attribute: Attribute, interner: Interner): number {
  const { kind } = attribute;
  switch (attribute.kind) {
    case 'tensor':
      return interner.id(`tensor ${interner.content(attribute.value)}`);
    case 'tensors':
      return interner.id(`tensors ${attribute.value.map((tensor) => interner.content(tensor))}`);
    case 'graph':
      return interner.id(`graph ${graphText(attribute.value, interner)}`);
    case 'graphs':
      return interner.id(`graphs ${attribute.value.map((graph) => graphText(graph, interner))}`);
    case 'string':
      return interner.id(`string ${Buffer.from(attribute.value).toString('base64')}`);
    case 'strings':
      return interner.id(`strings ${attribute.value.map((text) => Buffer.from(text).toString('base64'))}`);
    case 'float':
      return interner.id(`float ${Object.is(attribute.value, -0) ? '-0' : attribute.value}`);
    default:
      return interner.id(`${kind} ${attribute.value}`);
  }
}

/** What a subgraph computes: values are numbered as they appear, names do not count. */
function graphText(graph: Graph, interner: Interner): number {
  const numbers = new Map<Value, string>();
  const numberOf = (value: Value | undefined): string => {
    if (value === undefined) return '-';
    let number = numbers.get(value);
    if (number === undefined) {
      number = value.tensor === undefined ? `v${numbers.size}` : `c${interner.content(value.tensor)}`;
      numbers.set(value, number);
    }
    return number;
  };
  const parts = [graph.inputs.map(numberOf).join()];
  for (const node of graph.nodes()) {
    const inner = node.subgraphs().flatMap((subgraph) => capturedValues(subgraph));
    parts.push(
      `${node.domain} ${node.opType} ${attributesId(node, interner)}(${[...node.inputs, ...inner].map(numberOf)})=${node.outputs.map(numberOf)}`,
    );
  }
  parts.push(graph.outputs.map(numberOf).join());
  return interner.id(parts.join('\n'));
}

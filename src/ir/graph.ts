import type { Tensor } from '../tensor/tensor.ts';
import { Node, type NodeInit } from './node.ts';
import { tensorType, type ValueType } from './types.ts';
import { Value } from './value.ts';

/** A list of nodes in topological order with its inputs, outputs and initializers: a model's main graph or a subgraph. */
export class Graph {
  name: string;
  /** The node that holds this graph in an attribute; undefined for a main graph. */
  owner: Node | undefined;
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  /** Values with constant content, in file order. Before IR version 4 they may be listed as inputs too. */
  readonly initializers = new Set<Value>();
  /** Values whose type the file states (`value_info`), in file order. */
  readonly valueInfo = new Set<Value>();
  #first: Node | undefined;
  #last: Node | undefined;
  #nodeCount = 0;
  #names: Set<string> | undefined;

  constructor(name = '') {
    this.name = name;
  }

  get nodeCount(): number {
    return this.#nodeCount;
  }

  /** The nodes in order. The current node may be removed, and nodes inserted, while iterating. */
  *nodes(): Generator<Node, void, undefined> {
    let node = this.#first;
    while (node !== undefined) {
      const next: Node | undefined = node.next;
      yield node;
      // A node that is still here may have got new successors; one that was removed keeps the successor it had.
      node = node.graph === this ? node.next : next;
    }
  }

  /** The graph around this one, for a subgraph. */
  get parent(): Graph | undefined {
    return this.owner?.graph;
  }

  append(node: Node): Node {
    return this.#link(node, this.#last, undefined);
  }

  insertBefore(anchor: Node, node: Node): Node {
    return this.#link(node, anchor.previous, anchor);
  }

  insertAfter(anchor: Node, node: Node): Node {
    return this.#link(node, anchor, anchor.next);
  }

  /** Takes a node out of the list and disconnects its inputs. Its outputs must be unused or about to be replaced. */
  remove(node: Node): void {
    this.#unlink(node);
    node.disconnect();
  }

  /** Moves a node of this graph in front of another one. */
  moveBefore(node: Node, anchor: Node): void {
    this.#unlink(node);
    this.#link(node, anchor.previous, anchor);
  }

  /** Puts the nodes into the given order; the list must hold exactly this graph's nodes. */
  reorder(nodes: readonly Node[]): void {
    for (const node of nodes) this.#unlink(node);
    for (const node of nodes) this.append(node);
  }

  /** Makes a node with fresh output names and inserts it before `anchor`, or at the end. */
  create(
    opType: string,
    inputs: readonly (Value | undefined)[],
    init: NodeInit & { outputNames?: readonly string[]; anchor?: Node | undefined } = {},
  ): Node {
    const outputs = (init.outputNames ?? [`${opType}_out`]).map((name) => this.uniqueName(name));
    const node = new Node(opType, inputs, outputs, init);
    return init.anchor === undefined ? this.append(node) : this.insertBefore(init.anchor, node);
  }

  /** Adds a constant under the tensor's name, made unique if it is taken. */
  addInitializer(tensor: Tensor): Value {
    const name = this.uniqueName(tensor.name === '' ? 'constant' : tensor.name);
    const value = new Value(name, tensorType(tensor.dataType, tensor.dims));
    value.tensor = name === tensor.name ? tensor : tensor.withName(name);
    this.initializers.add(value);
    return value;
  }

  addInput(name: string, type: ValueType): Value {
    const value = new Value(this.uniqueName(name), type);
    this.inputs.push(value);
    return value;
  }

  /** True if the value is one of this graph's outputs. */
  isOutput(value: Value): boolean {
    return this.outputs.includes(value);
  }

  /**
   * Lets consumers and graph outputs take `to` where they took `from`. A graph output keeps its public name:
   * `to` is renamed to it where `to` is a node output of this graph that is no graph output itself.
   * Returns false, changing nothing, where that is impossible (two outputs, an input or an initializer would be merged).
   */
  replaceValue(from: Value, to: Value): boolean {
    if (this.isOutput(from)) {
      if (to.producer?.graph !== this || this.isOutput(to)) return false;
      const name = from.name;
      from.name = this.uniqueName(`${name}_replaced`);
      to.name = name;
      to.type = from.type ?? to.type;
      for (let i = 0; i < this.outputs.length; i++) if (this.outputs[i] === from) this.outputs[i] = to;
      if (this.valueInfo.delete(to)) this.valueInfo.delete(from);
    }
    from.replaceAllUsesWith(to);
    return true;
  }

  /** A name that no value visible in this graph or its subgraphs bears: `base`, `base_1`, `base_2`, … */
  uniqueName(base: string): string {
    const root = this.#root();
    root.#names ??= collectNames(root);
    const names = root.#names;
    let name = base;
    for (let i = 1; names.has(name); i++) name = `${base}_${i}`;
    names.add(name);
    return name;
  }

  /** Main graph and all graphs in attributes, outermost first. */
  *allGraphs(): Generator<Graph, void, undefined> {
    const pending: Graph[] = [this];
    for (let graph = pending.pop(); graph !== undefined; graph = pending.pop()) {
      yield graph;
      for (const node of graph.nodes()) pending.push(...node.subgraphs());
    }
  }

  #root(): Graph {
    let graph: Graph = this;
    for (let parent = graph.parent; parent !== undefined; parent = graph.parent) graph = parent;
    return graph;
  }

  #link(node: Node, previous: Node | undefined, next: Node | undefined): Node {
    node.graph = this;
    node.previous = previous;
    node.next = next;
    if (previous === undefined) this.#first = node;
    else previous.next = node;
    if (next === undefined) this.#last = node;
    else next.previous = node;
    this.#nodeCount++;
    const names = this.#root().#names;
    if (names !== undefined) {
      for (const output of node.outputs) names.add(output.name);
      for (const subgraph of node.subgraphs()) collectNames(subgraph, names);
    }
    return node;
  }

  #unlink(node: Node): void {
    if (node.graph !== this) throw new Error(`node '${node.name}' is not in graph '${this.name}'`);
    if (node.previous === undefined) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.#last = node.previous;
    else node.next.previous = node.previous;
    node.previous = undefined;
    node.next = undefined;
    node.graph = undefined;
    this.#nodeCount--;
  }
}

function collectNames(root: Graph, names = new Set<string>()): Set<string> {
  for (const graph of root.allGraphs()) {
    for (const value of graph.inputs) names.add(value.name);
    for (const value of graph.initializers) names.add(value.name);
    for (const value of graph.valueInfo) names.add(value.name);
    for (const node of graph.nodes()) for (const output of node.outputs) names.add(output.name);
  }
  return names;
}

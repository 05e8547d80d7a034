import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { attributeMistake } from './attribute-kinds.ts';
import type { Graph } from './graph.ts';
import type { Model } from './model.ts';
import type { Node } from './node.ts';
import type { Value } from './value.ts';

export interface VerifyOptions {
  /** Accept nodes in any order that has no cycle, as some exporters write them. Default false. */
  readonly anyOrder?: boolean;
}

/**
 * Checks what the ONNX specification asks of a graph's structure: one definition per name, every input defined before
 * it is read (in this graph or one around it), every output defined, every node with an operator, standard operators with
 * attributes of the right type; and that the edges of the IR agree with each other. Takes time in proportion to the
 * model's size.
 * @throws EdgepackError `model-invalid`, naming the first node or tensor that breaks a rule.
 */
export function verify(model: Model, options: VerifyOptions = {}): void {
  verifyGraph(model.graph, undefined, options.anyOrder === true);
}

/** The values that are defined so far in a graph, and those of the graphs around it. */
interface Scope {
  readonly values: Set<Value>;
  readonly outer: Scope | undefined;
  readonly anyOrder: boolean;
}

function verifyGraph(graph: Graph, outer: Scope | undefined, anyOrder: boolean): void {
  const scope: Scope = { values: new Set(), outer, anyOrder };
  const names = new Set<string>();
  const define = (value: Value, node?: Node): void => {
    if (value.name === '') throw invalid('has a graph input or initializer without a name', node);
    if (names.has(value.name)) throw invalid(`the name '${printable(value.name)}' is defined twice`, node);
    names.add(value.name);
    scope.values.add(value);
  };
  for (const value of graph.inputs) define(value);
  for (const value of graph.initializers) {
    if (value.tensor === undefined) throw invalid(`the initializer '${printable(value.name)}' has no content`);
    if (!scope.values.has(value)) define(value);
  }
  const defineOutputs = (node: Node): void => {
    for (const value of node.outputs) if (value.name !== '') define(value, node);
  };
  if (anyOrder) for (const node of graph.nodes()) defineOutputs(node);
  for (const node of graph.nodes()) {
    verifyNode(node, graph, scope);
    if (!anyOrder) defineOutputs(node);
  }
  if (anyOrder) refuseCycle(graph);
  for (const value of graph.outputs) {
    if (!isVisible(value, scope)) throw invalid(`the graph output '${printable(value.name)}' is not defined`);
  }
}

function verifyNode(node: Node, graph: Graph, scope: Scope): void {
  if (node.opType === '') throw invalid('a node has no operator', node);
  const wrongAttribute = attributeMistake(node);
  if (wrongAttribute !== undefined) throw invalid(wrongAttribute, node);
  if (node.outputs.length === 0) throw invalid('the node has no output', node);
  for (const value of node.inputs) {
    if (value !== undefined && !isVisible(value, scope) && value.type?.kind !== 'sparse-tensor') {
      throw invalid(undefinedReason(value, node), node);
    }
  }
  for (const value of node.outputs) {
    if (value.producer !== node) {
      throw invalid(`another node also makes its output '${printable(value.name)}'`, node);
    }
  }
  for (const subgraph of node.subgraphs()) {
    if (subgraph.owner !== node) throw invalid('a subgraph belongs to another node', node);
    verifyGraph(subgraph, scope, scope.anyOrder);
  }
  if (node.graph !== graph) throw invalid('the node is listed in another graph', node);
}

function isVisible(value: Value, scope: Scope): boolean {
  for (let here: Scope | undefined = scope; here !== undefined; here = here.outer) {
    if (here.values.has(value)) return true;
  }
  return false;
}

/** Takes away nodes whose inputs are there until none is left (Kahn's algorithm); what remains is on or behind a cycle. */
function refuseCycle(graph: Graph): void {
  const readers = new Map<Node, Node[]>();
  const waitingFor = new Map<Node, number>();
  for (const node of graph.nodes()) {
    let count = 0;
    for (const value of valuesReadBy(node)) {
      const { producer } = value;
      if (producer?.graph !== graph) continue;
      if (producer === node) throw invalid(`reads its own output '${printable(value.name)}'`, node);
      const list = readers.get(producer);
      if (list === undefined) readers.set(producer, [node]);
      else list.push(node);
      count++;
    }
    waitingFor.set(node, count);
  }
  const ready = [...waitingFor].filter(([, count]) => count === 0).map(([node]) => node);
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    waitingFor.delete(node);
    for (const reader of readers.get(node) ?? []) {
      const count = waitingFor.get(reader)! - 1;
      waitingFor.set(reader, count);
      if (count === 0) ready.push(reader);
    }
  }
  const [stuck] = waitingFor.keys();
  if (stuck === undefined) return;
  throw invalid('is part of a cycle of nodes, or reads from one', onCycle(stuck, waitingFor));
}

/** Follows inputs among the nodes that wait until one comes up again. */
function onCycle(start: Node, waiting: ReadonlyMap<Node, number>): Node {
  const seen = new Set<Node>();
  let node = start;
  while (!seen.has(node)) {
    seen.add(node);
    for (const value of valuesReadBy(node)) {
      if (value.producer === undefined || !waiting.has(value.producer)) continue;
      node = value.producer;
      break;
    }
  }
  return node;
}

/** Inputs of a node and everything its subgraphs read. */
function* valuesReadBy(node: Node): Generator<Value, void, undefined> {
  for (const value of node.inputs) if (value !== undefined) yield value;
  for (const subgraph of node.subgraphs()) {
    for (const graph of subgraph.allGraphs()) {
      for (const inner of graph.nodes()) for (const value of inner.inputs) if (value !== undefined) yield value;
      yield* graph.outputs;
    }
  }
}

/** Says why a value cannot be read here: nothing makes it, it is made too late, or only with the reader's own output. */
function undefinedReason(value: Value, reader: Node): string {
  const name = printable(value.name);
  const { producer } = value;
  if (producer === undefined) return `reads '${name}', which nothing defines`;
  if (producer.graph === undefined) return `reads '${name}', whose node has been removed`;
  const other = printable(producer.name || producer.output.name);
  if (producer === reader) return `reads its own output '${name}'`;
  return dependsOn(producer, reader)
    ? `is part of a cycle: it reads '${name}' of node '${other}', which needs this node's output`
    : `reads '${name}' before the node '${other}' makes it: the nodes are not in topological order`;
}

function dependsOn(node: Node, other: Node): boolean {
  const seen = new Set<Node>([node]);
  const pending = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next === other) return true;
    for (const input of next.inputs) {
      const producer = input?.producer;
      if (producer !== undefined && !seen.has(producer)) {
        seen.add(producer);
        pending.push(producer);
      }
    }
  }
  return false;
}

function invalid(message: string, node?: Node): EdgepackError {
  const label = node && (node.name || node.outputs[0]?.name || node.opType);
  return new EdgepackError('model-invalid', message, {
    ...(label === undefined ? {} : { location: { node: printable(label) } }),
    hint: 'export the model again, or check it with the onnx checker',
  });
}

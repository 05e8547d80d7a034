import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import type { Graph } from './graph.ts';
import type { Model } from './model.ts';
import type { Node } from './node.ts';
import type { Value } from './value.ts';

/**
 * Checks what the ONNX specification asks of a graph's structure: one definition per name, every input defined before
 * it is read (in this graph or one around it), every output defined, every node with an operator; and that the edges of
 * the IR agree with each other. Takes time in proportion to the model's size.
 * @throws EdgepackError `model-invalid`, naming the first node or tensor that breaks a rule.
 */
export function verify(model: Model): void {
  verifyGraph(model.graph, undefined);
}

/** The values that are defined so far in a graph, and those of the graphs around it. */
interface Scope {
  readonly values: Set<Value>;
  readonly outer: Scope | undefined;
}

function verifyGraph(graph: Graph, outer: Scope | undefined): void {
  const scope: Scope = { values: new Set(), outer };
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
  for (const node of graph.nodes()) {
    verifyNode(node, graph, scope);
    for (const value of node.outputs) if (value.name !== '') define(value, node);
  }
  for (const value of graph.outputs) {
    if (!isVisible(value, scope)) throw invalid(`the graph output '${printable(value.name)}' is not defined`);
  }
}

function verifyNode(node: Node, graph: Graph, scope: Scope): void {
  if (node.opType === '') throw invalid('a node has no operator', node);
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
    verifyGraph(subgraph, scope);
  }
  if (node.graph !== graph) throw invalid('the node is listed in another graph', node);
}

function isVisible(value: Value, scope: Scope): boolean {
  for (let here: Scope | undefined = scope; here !== undefined; here = here.outer) {
    if (here.values.has(value)) return true;
  }
  return false;
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

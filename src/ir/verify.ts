import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import type { Graph } from './graph.ts';
import type { Model } from './model.ts';
import type { Value } from './value.ts';

/**
 * Checks what the ONNX specification asks of a graph's structure: one definition per name, every input defined before
 * it is read (in this graph or one around it), every output defined, every node with an operator.
 * @throws EdgepackError `model-invalid`, naming the first node or tensor that breaks a rule.
 */
export function verify(model: Model): void {
  verifyGraph(model.graph, new Set());
}

function verifyGraph(graph: Graph, outer: ReadonlySet<Value>): void {
  const visible = new Set<Value>(outer);
  const names = new Set<string>();
  const define = (value: Value, node?: string): void => {
    if (names.has(value.name)) throw invalid(`the name '${printable(value.name)}' is defined twice`, node);
    names.add(value.name);
    visible.add(value);
  };
  for (const value of graph.inputs) define(value);
  for (const value of graph.initializers) if (!visible.has(value)) define(value);
  for (const node of graph.nodes()) {
    const label = node.name || node.outputs[0]?.name || node.opType;
    if (node.opType === '') throw invalid('a node has no operator', label);
    for (const value of node.inputs) {
      if (value !== undefined && !visible.has(value) && value.type?.kind !== 'sparse-tensor') {
        throw invalid(`reads '${printable(value.name)}', which nothing before it defines`, label);
      }
    }
    for (const subgraph of node.subgraphs()) verifyGraph(subgraph, visible);
    for (const value of node.outputs) if (value.name !== '') define(value, label);
  }
  for (const value of graph.outputs) {
    if (!visible.has(value)) throw invalid(`the graph output '${printable(value.name)}' is not defined`);
  }
}

function invalid(message: string, node?: string): EdgepackError {
  return new EdgepackError('model-invalid', message, {
    ...(node === undefined ? {} : { location: { node: printable(node) } }),
    hint: 'export the model again, or check it with the onnx checker',
  });
}

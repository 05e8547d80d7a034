import type { Graph } from '../../ir/graph.ts';
import type { Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { type Pass, type PassChange, passResult } from '../pass.ts';

/**
 * Removes nodes whose outputs nothing reads and constants that nothing reads, subgraphs included. A constant that is listed
 * as a graph input stays: it is part of the interface.
 */
export function removeDeadNodes(): Pass {
  return {
    name: 'remove-dead-nodes',
    run(model) {
      const changes: PassChange[] = [];
      const graphs = [...model.graph.allGraphs()];
      const outputs = new Set<Value>(graphs.flatMap((graph) => graph.outputs));
      // Inner graphs are found after the graphs around them; what they free is outside, so they go first.
      for (const graph of graphs.reverse()) {
        removeNodes(graph, outputs, changes);
        removeConstants(graph, outputs, changes);
      }
      return passResult(changes);
    },
  };
}

function removeNodes(graph: Graph, outputs: ReadonlySet<Value>, changes: PassChange[]): void {
  for (const node of [...graph.nodes()].reverse()) {
    if (node.graph === undefined || !node.outputs.every((value) => isUnused(value, outputs))) continue;
    if (node.outputs.length === 0) continue;
    disconnectInside(node);
    graph.remove(node);
    changes.push({ kind: 'remove-dead-node', subject: node.name || node.output.name, detail: node.opType });
  }
}

function isUnused(value: Value, outputs: ReadonlySet<Value>): boolean {
  return value.useCount === 0 && !outputs.has(value);
}

/** Nodes of a removed node's subgraphs no longer read what is outside. */
function disconnectInside(node: Node): void {
  for (const subgraph of node.subgraphs()) {
    for (const graph of subgraph.allGraphs()) for (const inner of graph.nodes()) inner.disconnect();
  }
}

function removeConstants(graph: Graph, outputs: ReadonlySet<Value>, changes: PassChange[]): void {
  for (const value of graph.initializers) {
    if (!isUnused(value, outputs) || graph.inputs.includes(value)) continue;
    graph.initializers.delete(value);
    changes.push({ kind: 'remove-unused-initializer', subject: value.name });
  }
}

import type { Graph } from '../../ir/graph.ts';
import type { Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { type Pass, type PassChange, passResult } from '../pass.ts';

/** Puts the nodes of every graph into topological order, changing as little as that takes. A cycle is left as it is. */
export function sortNodes(): Pass {
  return {
    name: 'sort-nodes',
    run(model) {
      const changes: PassChange[] = [];
      for (const graph of model.graph.allGraphs())
        if (sortGraph(graph)) changes.push({ kind: 'sort-nodes', subject: graph.name });
      return passResult(changes);
    },
  };
}

function sortGraph(graph: Graph): boolean {
  const order = new Map<Node, number>();
  for (const node of graph.nodes()) order.set(node, order.size);
  const producers = new Map<Node, Set<Node>>();
  let isSorted = true;
  for (const [node, index] of order) {
    const before = new Set<Node>();
    for (const value of valuesReadBy(node)) {
      if (value.producer === undefined || value.producer === node || !order.has(value.producer)) continue;
      before.add(value.producer);
      if (order.get(value.producer)! > index) isSorted = false;
    }
    producers.set(node, before);
  }
  if (isSorted) return false;
  const sorted: Node[] = [];
  const state = new Map<Node, 'open' | 'done'>();
  for (const root of order.keys()) {
    const stack = [root];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      if (state.get(node) === 'done') {
        stack.pop();
        continue;
      }
      const pending = [...producers.get(node)!].filter((producer) => state.get(producer) !== 'done');
      if (pending.length === 0) {
        state.set(node, 'done');
        sorted.push(node);
        stack.pop();
      } else {
        if (state.get(node) === 'open' && pending.some((producer) => state.get(producer) === 'open')) return false;
        state.set(node, 'open');
        stack.push(pending[0]!);
      }
    }
  }
  graph.reorder(sorted);
  return true;
}

/** Inputs of a node and everything its subgraphs read. */
function* valuesReadBy(node: Node): Generator<Value> {
  for (const value of node.inputs) if (value !== undefined) yield value;
  for (const subgraph of node.subgraphs()) {
    for (const graph of subgraph.allGraphs()) {
      for (const inner of graph.nodes()) for (const value of inner.inputs) if (value !== undefined) yield value;
      yield* graph.outputs;
    }
  }
}

import { bitsPerElement } from '../tensor/data-type.ts';
import { cost } from './cost.ts';
import type { Graph } from './graph.ts';
import { countTrips } from './loop-trips.ts';
import type { Model } from './model.ts';
import type { Node } from './node.ts';
import { inferTypes, type TypeTable } from './shape-inference/infer-types.ts';
import type { Value } from './value.ts';

/** A node and a number that it is the reason for. */
export interface NodeDemand {
  readonly node: Node | undefined;
  readonly amount: number;
}

/** What one run of a model asks for, as far as the file tells. Sizes that only a run can tell count as 1. */
export interface RunDemand {
  readonly inputBytes: number;
  /** Values that are computed from constants alone, all together; the node is the one with the largest. */
  readonly constantBytes: NodeDemand;
  /** The most bytes of inner values that are needed at the same time, while the node runs. */
  readonly liveBytes: NodeDemand;
  /** Bytes of all inner values. */
  readonly activationBytes: number;
  /** Multiply-accumulate operations of the whole run, and what pooling looks at; the node takes the most of them. */
  readonly macs: NodeDemand;
  /** Nodes that run because of a loop, where it says how often it runs; infinite where it never ends. */
  readonly loopedNodes: NodeDemand;
  /** Whether some value's size only a run can tell. */
  readonly hasUnknownSizes: boolean;
  /** Whether loops are in it, or in its functions, whose end only a run can tell. */
  readonly hasLoops: boolean;
  /** Whether it calls functions of its own, whose products are not counted. */
  readonly hasFunctions: boolean;
}

/** @param sizes what symbolic dimensions stand for; 1 for the others. */
export function runDemand(model: Model, sizes: ReadonlyMap<string, number> = new Map()): RunDemand {
  const resolveSymbol = (name: string) => sizes.get(name) ?? 1;
  return new DemandCounter(model, inferTypes(model, { resolveSymbol }), Object.fromEntries(sizes)).result();
}

class DemandCounter {
  readonly #model: Model;
  readonly #types: TypeTable;
  readonly #symbols: Readonly<Record<string, number>>;
  readonly #constants = new Set<Value>();
  #constantBytes = 0;
  #largestConstant: NodeDemand = { node: undefined, amount: 0 };
  #activationBytes = 0;
  #live: NodeDemand = { node: undefined, amount: 0 };
  #looped: NodeDemand = { node: undefined, amount: 0 };
  #pooled: NodeDemand = { node: undefined, amount: 0 };
  #pooledInAll = 0;
  #hasUnknownSizes = false;
  #hasLoops = false;

  constructor(model: Model, types: TypeTable, symbols: Readonly<Record<string, number>>) {
    this.#model = model;
    this.#types = types;
    this.#symbols = symbols;
  }

  result(): RunDemand {
    const { graph, functions } = this.#model;
    this.#hasLoops = functions.some(({ operators }) =>
      operators.some(({ domain, opType }) => /^(ai\.onnx)?$/.test(domain) && (opType === 'Loop' || opType === 'Scan')),
    );
    this.#graph(graph, 1);
    const inputs = graph.inputs.filter((value) => value.tensor === undefined);
    return {
      inputBytes: inputs.reduce((sum, value) => sum + this.#bytes(value), 0),
      constantBytes: { node: this.#largestConstant.node, amount: this.#constantBytes },
      liveBytes: this.#live,
      activationBytes: this.#activationBytes,
      macs: this.#macs(),
      loopedNodes: this.#looped,
      hasUnknownSizes: this.#hasUnknownSizes,
      hasLoops: this.#hasLoops,
      hasFunctions: functions.length > 0,
    };
  }

  /** @param runs how often the graph runs. */
  #graph(graph: Graph, runs: number): void {
    const readers = new Map<Value, number>();
    for (const value of graph.outputs) readers.set(value, Number.POSITIVE_INFINITY);
    let liveBytes = 0;
    for (const node of graph.nodes()) {
      // Ensembles of trees keep scores of their own for each thread.
      if (node.domain === 'ai.onnx.ml') this.#hasUnknownSizes = true;
      const fromConstants = this.#isFromConstants(node);
      let madeBytes = 0;
      for (const value of node.outputs) {
        const bytes = this.#bytes(value);
        madeBytes += bytes;
        if (!readers.has(value)) readers.set(value, value.useCount);
        if (fromConstants) {
          this.#constants.add(value);
          if (!node.is('Constant')) this.#addConstant(node, bytes);
        }
      }
      const trips = this.#subgraphs(node, runs);
      // What a loop collects from its rounds is as long as it has rounds.
      if (trips !== undefined) madeBytes += trips * this.#collectedBytes(node);
      this.#addPooling(node, runs);
      this.#activationBytes += runs * madeBytes;
      liveBytes += madeBytes;
      if (liveBytes > this.#live.amount) this.#live = { node, amount: liveBytes };
      for (const value of node.inputs) {
        if (value?.producer === undefined) continue;
        const left = (readers.get(value) ?? Number.POSITIVE_INFINITY) - 1;
        readers.set(value, left);
        if (left === 0) liveBytes -= this.#bytes(value);
      }
    }
  }

  /** How often a loop runs where it says so. */
  #subgraphs(node: Node, runs: number): number | undefined {
    const isLoop = node.is('Loop', 'Scan');
    this.#hasLoops ||= isLoop;
    const trips = node.is('Loop') ? countTrips(node) : undefined;
    for (const subgraph of node.subgraphs()) {
      const times = runs * (trips ?? 1);
      this.#graph(subgraph, times);
      const amount = times * subgraph.nodeCount;
      if (isLoop && amount > this.#looped.amount) this.#looped = { node, amount };
    }
    return trips;
  }

  #collectedBytes(node: Node): number {
    const body = node.attribute('body', 'graph')?.value;
    return (body?.outputs.slice(node.inputs.length - 1) ?? []).reduce((sum, value) => sum + this.#bytes(value), 0);
  }

  /** Pooling takes a step for each element under the window. */
  #addPooling(node: Node, runs: number): void {
    const [output] = node.outputs;
    if (output === undefined || !node.is('AveragePool', 'LpPool', 'MaxPool')) return;
    const window = node.ints('kernel_shape')?.reduce((product, size) => product * size, 1) ?? 0;
    const amount = (runs * window * this.#bytes(output)) / 4;
    this.#pooledInAll += amount;
    if (amount > this.#pooled.amount) this.#pooled = { node, amount };
  }

  #isFromConstants(node: Node): boolean {
    if (node.subgraphs().length > 0) return false;
    return node.inputs.every(
      (value) => value === undefined || value.tensor !== undefined || this.#constants.has(value),
    );
  }

  #addConstant(node: Node, bytes: number): void {
    this.#constantBytes += bytes;
    if (bytes > this.#largestConstant.amount) this.#largestConstant = { node, amount: bytes };
  }

  #bytes(value: Value): number {
    const type = this.#types.get(value);
    if (type?.shape === undefined || type.elemType === 0) {
      if (value.name !== '') this.#hasUnknownSizes = true;
      return 0;
    }
    let count = 1;
    for (const dim of type.shape) {
      if (typeof dim === 'number') count *= dim;
      else this.#hasUnknownSizes = true;
    }
    return (count * bitsPerElement(type.elemType)) / 8;
  }

  #macs(): NodeDemand {
    const { nodes, total } = cost(this.#model, { symbols: this.#symbols });
    const most = nodes.reduce((a, b) => (b.macs > a.macs ? b : a), nodes[0]!);
    const node = (most?.macs ?? 0) >= this.#pooled.amount ? most?.node : this.#pooled.node;
    return { node, amount: total.macs + this.#pooledInAll };
  }
}

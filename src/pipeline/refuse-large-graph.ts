import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import type { Graph } from '../ir/graph.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import type { Value } from '../ir/value.ts';

/**
 * What a graph may have where it is run. The engine loads longer graphs in seconds, takes time by the square of the readers
 * of one value, and keeps many copies of each name; models that people train have less by far.
 */
export const graphLimits = {
  nodes: 10_000,
  /** A model with few weights may have these; each weight adds to them until it has `nodes`. */
  nodesWithoutWeights: 1500,
  weightBytesPerNode: 1024,
  initializersPerNode: 2,
  readersOfOneValue: 1000,
  /** Inputs or outputs of the whole model, or outputs of one node. */
  valuesSideBySide: 1000,
  nameLength: 65_536,
  namesLength: 4_194_304,
} as const;

/**
 * Refuses what the engine would load too slowly, or with too much memory, for its size.
 * @param isTimeAllowed the user has said how long a run may take: then counts of nodes and readers are not limited.
 * @throws EdgepackError `model-too-large`, naming the file, the count and the limit.
 */
export function refuseLargeGraph(path: string, model: Model, isTimeAllowed: boolean): void {
  const { readersOfOneValue, nameLength, namesLength } = graphLimits;
  let lengthInAll = 0;
  const addName = (kind: string, name: string): void => {
    if (name.length > nameLength) throw tooLong(path, `the ${kind} '${printable(name, 40)}'`, name.length, nameLength);
    lengthInAll += name.length;
  };
  const addValue = (value: Value): void => {
    addName('name of the value', value.name);
    const isConstant = value.tensor !== undefined || value.producer?.is('Constant') === true;
    if (isTimeAllowed || isConstant || value.consumers.length <= readersOfOneValue) return;
    const name = printable(value.name, 40);
    throw tooSlow(
      path,
      `the value '${name}' is read by ${value.consumers.length} nodes, more than ${readersOfOneValue}`,
    );
  };
  const limitWidth = (what: string, count: number): void => {
    const most = graphLimits.valuesSideBySide;
    if (!isTimeAllowed && count > most) throw tooSlow(path, `${what} ${count}, more than ${most}`);
  };
  const graphs = [...model.graph.allGraphs()];
  if (!isTimeAllowed) refuseManyNodes(path, model, graphs);
  // What has a default is an initializer that old files list as an input as well.
  limitWidth('its inputs are', model.graph.inputs.filter(({ tensor }) => tensor === undefined).length);
  limitWidth('its outputs are', model.graph.outputs.length);
  for (const graph of graphs) {
    for (const value of [...graph.inputs, ...graph.initializers]) addValue(value);
    for (const node of graph.nodes()) {
      addName('name of the node', node.name);
      limitWidth(`outputs of the node '${printable(node.name, 40)}' are`, node.outputs.length);
      for (const value of node.outputs) addValue(value);
    }
  }
  if (lengthInAll > namesLength) throw tooLong(path, 'the text of all names', lengthInAll, namesLength);
}

/** Thousands of nodes belong to models with megabytes of weights: where there are few, they would take longer than all else. */
function refuseManyNodes(path: string, model: Model, graphs: readonly Graph[]): void {
  const { nodes: most, nodesWithoutWeights, weightBytesPerNode, initializersPerNode } = graphLimits;
  const nodesOf = expandedNodes(model);
  let [nodes, initializers, weightBytes] = [0, 0, 0];
  for (const graph of graphs) {
    initializers += graph.initializers.size;
    for (const { tensor } of graph.initializers) weightBytes += tensor?.byteLength ?? 0;
    for (const node of graph.nodes()) {
      nodes += nodesOf(node);
      if (node.is('Constant')) weightBytes += node.tensor('value')?.byteLength ?? 0;
    }
  }
  const limit = Math.min(most, Math.floor(nodesWithoutWeights + weightBytes / weightBytesPerNode));
  const forIt = limit < most ? ` for its ${Math.ceil(weightBytes / 1024)} KiB of weights` : '';
  if (nodes > limit) throw tooSlow(path, `it has ${nodes} nodes, more than ${limit}${forIt}`);
  const tensors = limit * initializersPerNode;
  if (initializers > tensors) throw tooSlow(path, `it has ${initializers} initializers, more than ${tensors}${forIt}`);
}

/** How many nodes the engine makes of one: those of the function that it calls, which calls no function that calls it. */
function expandedNodes(model: Model): (node: Node) => number {
  const counts = new Map<string, number>();
  const bodies = new Map(model.functions.map((fn) => [JSON.stringify([fn.domain, fn.name]), fn.operators]));
  const count = (domain: string, opType: string): number => {
    if (bodies.size === 0) return 1;
    const key = JSON.stringify([domain, opType]);
    const body = bodies.get(key);
    if (body === undefined) return 1;
    const known = counts.get(key);
    if (known !== undefined) return known;
    // Functions of one name differ by their overloads: those may call each other.
    counts.set(key, 1);
    const sum = body.reduce((total, callee) => total + count(callee.domain, callee.opType), 0);
    counts.set(key, sum);
    return sum;
  };
  return ({ domain, opType }) => count(domain, opType);
}

function tooSlow(file: string, message: string): EdgepackError {
  return new EdgepackError('model-too-large', message, {
    location: { file },
    hint: 'if you trust the model, allow more time with --engine-timeout; to inspect, pack or diff it needs none of that',
  });
}

function tooLong(file: string, what: string, length: number, limit: number): EdgepackError {
  return new EdgepackError('model-too-large', `${what} has ${length} characters, more than ${limit}`, {
    location: { file },
    hint: 'give its nodes and values shorter names',
  });
}

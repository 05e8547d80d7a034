import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import type { Model } from '../ir/model.ts';
import type { Value } from '../ir/value.ts';

/**
 * What a graph may have where it is run. The engine loads longer graphs in seconds, takes time by the square of the readers
 * of one value, and keeps many copies of each name; models that people train have less by far.
 */
export const graphLimits = {
  nodes: 10_000,
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
  const { nodes, readersOfOneValue, nameLength, namesLength } = graphLimits;
  let nodeCount = 0;
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
  // What has a default is an initializer that old files list as an input as well.
  limitWidth('its inputs are', model.graph.inputs.filter(({ tensor }) => tensor === undefined).length);
  limitWidth('its outputs are', model.graph.outputs.length);
  for (const graph of model.graph.allGraphs()) {
    nodeCount += graph.nodeCount;
    if (!isTimeAllowed && nodeCount > nodes) continue;
    for (const value of [...graph.inputs, ...graph.initializers]) addValue(value);
    for (const node of graph.nodes()) {
      addName('name of the node', node.name);
      limitWidth(`outputs of the node '${printable(node.name, 40)}' are`, node.outputs.length);
      for (const value of node.outputs) addValue(value);
    }
  }
  if (!isTimeAllowed && nodeCount > nodes) throw tooSlow(path, `it has ${nodeCount} nodes, more than ${nodes}`);
  if (lengthInAll > namesLength) throw tooLong(path, 'the text of all names', lengthInAll, namesLength);
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

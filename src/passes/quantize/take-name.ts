import type { Graph } from '../../ir/graph.ts';
import type { Value } from '../../ir/value.ts';

/** Integers go by the name of the weights they stand for, where nobody else reads those, so that reports can match them. */
export function takeName(graph: Graph, original: Value | undefined, integers: Value): void {
  if (original?.tensor === undefined || original.useCount > 0 || graph.isOutput(original)) return;
  if (graph.inputs.includes(original)) return;
  graph.initializers.delete(original);
  integers.name = original.name;
  integers.tensor = integers.tensor!.withName(original.name);
}

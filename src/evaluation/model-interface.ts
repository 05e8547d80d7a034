import type { Graph } from '../ir/graph.ts';
import type { Value } from '../ir/value.ts';
import type { Runnable, ValueDescription } from '../runtime/session.ts';
import { DataType } from '../tensor/data-type.ts';

/** What a model takes and gives. */
export type ModelInterface = Pick<Runnable, 'inputs' | 'outputs'>;

/** Inputs and outputs of a model as the engine will describe them; undefined where the graph leaves their types open. */
export function modelInterface({ inputs, outputs }: Graph): ModelInterface | undefined {
  const described = {
    inputs: inputs.filter((value) => value.tensor === undefined).map(describe),
    outputs: outputs.map(describe),
  };
  const isComplete = (all: readonly (ValueDescription | undefined)[]): all is ValueDescription[] =>
    !all.includes(undefined);
  const { inputs: taken, outputs: given } = described;
  return isComplete(taken) && isComplete(given) ? { inputs: taken, outputs: given } : undefined;
}

function describe({ name, type }: Value): ValueDescription | undefined {
  if (type === undefined || type.kind === 'unknown') return undefined;
  if (type.kind !== 'tensor') return { name, dataType: DataType.undefined, shape: [] };
  if (type.shape === undefined) return undefined;
  return { name, dataType: type.elemType as DataType, shape: type.shape.map((dim) => dim ?? '') };
}

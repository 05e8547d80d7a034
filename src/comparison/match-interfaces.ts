import type { Model } from '../ir/model.ts';
import type { ValueType } from '../ir/types.ts';
import type { Value } from '../ir/value.ts';
import { dataTypeName } from '../tensor/data-type.ts';
import type { InterfaceLabels } from './graph-view.ts';

export type InterfacePair = readonly [a: Value | undefined, b: Value | undefined];

export interface InterfaceMatch {
  readonly inputs: readonly InterfacePair[];
  readonly outputs: readonly InterfacePair[];
  readonly labels: readonly [InterfaceLabels, InterfaceLabels];
}

/** Which inputs and outputs of two models stand for each other: those of one name, then the others in order where types agree. */
export function matchInterfaces(a: Model, b: Model): InterfaceMatch {
  const inputs = pairValues(fedInputs(a), fedInputs(b));
  const outputs = pairValues(a.graph.outputs, b.graph.outputs);
  const labelsOf = (model: Model, side: 0 | 1): InterfaceLabels => {
    const ofOutputs = new Map(labelled(outputs, 'output', side));
    return {
      inputs: new Map(labelled(inputs, 'input', side)),
      outputs: model.graph.outputs.map((value) => ofOutputs.get(value)!),
    };
  };
  return { inputs, outputs, labels: [labelsOf(a, 0), labelsOf(b, 1)] };
}

function fedInputs(model: Model): Value[] {
  return model.graph.inputs.filter((value) => value.tensor === undefined);
}

function labelled(pairs: readonly InterfacePair[], what: string, side: 0 | 1): [Value, string][] {
  return pairs.flatMap(([a, b], i) => {
    const value = side === 0 ? a : b;
    const other = side === 0 ? b : a;
    if (value === undefined) return [];
    return [[value, other === undefined ? `${what} of ${'ab'[side]}: ${value.name}` : `${what} ${i}`]];
  });
}

function pairValues(a: readonly Value[], b: readonly Value[]): InterfacePair[] {
  const byName = new Map(b.map((value) => [value.name, value]));
  const namesOfA = new Set(a.map(({ name }) => name));
  const rest = b.filter(({ name }) => !namesOfA.has(name));
  const restOfA = a.filter(({ name }) => !byName.has(name)).length;
  const pairs: InterfacePair[] = a.map((value) => [value, byName.get(value.name)]);
  if (restOfA === rest.length) {
    const queue = [...rest];
    pairs.forEach(([value, other], i) => {
      if (other !== undefined || value === undefined) return;
      if (elementType(value.type) !== elementType(queue[0]!.type)) {
        queue.shift();
        return;
      }
      pairs[i] = [value, queue.shift()];
    });
  }
  const used = new Set(pairs.map(([, value]) => value));
  return [...pairs, ...b.filter((value) => !used.has(value)).map((value) => [undefined, value] as const)];
}

function elementType(type: ValueType | undefined): string {
  return type?.kind === 'tensor' || type?.kind === 'sparse-tensor' ? dataTypeName(type.elemType) : (type?.kind ?? '');
}

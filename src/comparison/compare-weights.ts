import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import type { Value } from '../ir/value.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type ConstantDistance, compareConstants } from './compare-constants.ts';
import { type ConstantSource, constantSource, isDequantizer, isQuantizer, takenConstant } from './constant-source.ts';
import type { Interner } from './graph-view.ts';
import type { Pairing } from './pairing.ts';

/** A constant of one model, of the other, or of both. */
export interface WeightChange {
  readonly kind: 'changed' | 'renamed' | 'removed' | 'added';
  readonly a: ConstantSource | undefined;
  readonly b: ConstantSource | undefined;
  /** The node that computes with it, in a or else in b. */
  readonly layer: Node | undefined;
  /** Undefined where there is only one, or where they cannot be compared number by number. */
  readonly distance: ConstantDistance | undefined;
  /** Compared after folding in the BatchNormalization that only one model still has. */
  readonly isFolded: boolean;
  /** A scale or a zero point of QuantizeLinear or DequantizeLinear. */
  readonly isQuantizationParameter: boolean;
}

export interface WeightComparison {
  readonly changes: readonly WeightChange[];
  /** Constants that are the same in both, whatever their names. */
  readonly identical: number;
  /** For a pair of nodes, by its node of model a: the slots whose constants differ. */
  readonly changedSlots: ReadonlyMap<Node, readonly number[]>;
}

/**
 * Compares the constants of two models: those that paired nodes take in the same slot, then the others by content and by name.
 * One pair of constants is held as numbers at a time.
 */
export function compareWeights(a: Model, b: Model, pairing: Pairing, interner: Interner): WeightComparison {
  const seen: [Set<Value>, Set<Value>] = [new Set(), new Set()];
  const compared = new Map<string, WeightChange | 'identical'>();
  const changes: WeightChange[] = [];
  const changedSlots = new Map<Node, number[]>();
  let identical = 0;
  const compare = (x: ConstantSource, y: ConstantSource, layer: Node | undefined): WeightChange | 'identical' => {
    const key = `${numberOf(x)} ${numberOf(y)}`;
    const known = compared.get(key);
    if (known !== undefined) return known;
    seen[0].add(x.value);
    seen[1].add(y.value);
    const result = comparison(x, y, layer, interner);
    compared.set(key, result);
    if (result === 'identical') identical++;
    else changes.push(result);
    return result;
  };
  const numbers = new Map<Value | Node, number>();
  const numberOf = ({ value, dequantizer }: ConstantSource) =>
    [value, dequantizer].map((part) => {
      if (part === undefined) return '';
      if (!numbers.has(part)) numbers.set(part, numbers.size);
      return numbers.get(part)!;
    });
  for (const node of a.graph.nodes()) {
    const partner = pairing.partner(node);
    if (partner === undefined || node.is('Constant') || isQuantizer(node) || isDequantizer(node)) continue;
    for (let slot = 0; slot < Math.min(node.inputs.length, partner.inputs.length); slot++) {
      const [x, y] = [takenConstant(node, slot), takenConstant(partner, slot)];
      if (x === undefined || y === undefined) continue;
      const result = compare(x, y, node);
      if (result === 'identical' || result.kind !== 'changed') continue;
      changedSlots.set(node, [...(changedSlots.get(node) ?? []), slot]);
    }
  }
  const rest = [constantsOf(a), constantsOf(b)].map((all, side) => all.filter(({ value }) => !seen[side]!.has(value)));
  pairRest(rest[0]!, rest[1]!, interner, compare);
  for (const [side, constants] of rest.entries()) {
    for (const source of constants) {
      if (seen[side]!.has(source.value)) continue;
      changes.push({
        kind: side === 0 ? 'removed' : 'added',
        a: side === 0 ? source : undefined,
        b: side === 0 ? undefined : source,
        layer: readerOf(source.value),
        distance: undefined,
        isFolded: false,
        isQuantizationParameter: isQuantizationParameter(source.value),
      });
    }
  }
  return { changes, identical, changedSlots };
}

function comparison(
  a: ConstantSource,
  b: ConstantSource,
  layer: Node | undefined,
  interner: Interner,
): WeightChange | 'identical' {
  const plain = a.dequantizer === undefined && b.dequantizer === undefined;
  const isSame = interner.content(a.tensor) === interner.content(b.tensor);
  const isPlainlySame = isSame && (plain || parameterKey(a, interner) === parameterKey(b, interner));
  if (isPlainlySame && a.value.name === b.value.name) return 'identical';
  const shared = { a, b, layer, isFolded: false, isQuantizationParameter: isQuantizationParameter(a.value) };
  if (isPlainlySame) return { kind: 'renamed', ...shared, distance: undefined };
  return { kind: 'changed', ...shared, distance: compareConstants(a, b) };
}

function parameterKey({ dequantizer }: ConstantSource, interner: Interner): string {
  if (dequantizer === undefined) return '';
  const parameters = dequantizer.inputs.slice(1).map((value) => {
    const tensor = constantSource(value)?.tensor;
    return tensor === undefined ? '-' : interner.content(tensor);
  });
  return `${dequantizer.int('axis', 1)} ${dequantizer.int('block_size', 0)} ${parameters}`;
}

/** Constants that no paired nodes share: the same content, then the same name. */
function pairRest(
  a: readonly ConstantSource[],
  b: readonly ConstantSource[],
  interner: Interner,
  compare: (x: ConstantSource, y: ConstantSource, layer: Node | undefined) => unknown,
): void {
  const isTaken = new Set<ConstantSource>();
  const keys = [
    ({ tensor, value }: ConstantSource) => `${interner.content(tensor)} ${value.name}`,
    ({ tensor }: ConstantSource) => `${interner.content(tensor)}`,
    ({ value }: ConstantSource) => value.name,
  ];
  for (const key of keys) {
    const queues = new Map<string, ConstantSource[]>();
    for (const source of b) {
      if (isTaken.has(source)) continue;
      const queue = queues.get(key(source));
      if (queue === undefined) queues.set(key(source), [source]);
      else queue.push(source);
    }
    for (const queue of queues.values()) queue.reverse();
    for (const source of a) {
      if (isTaken.has(source)) continue;
      const other = queues.get(key(source))?.pop();
      if (other === undefined) continue;
      isTaken.add(source).add(other);
      compare(source, other, readerOf(source.value));
    }
  }
}

function constantsOf(model: Model): ConstantSource[] {
  const found: { value: Value; tensor: Tensor }[] = [];
  for (const value of model.graph.initializers)
    if (value.tensor !== undefined) found.push({ value, tensor: value.tensor });
  for (const node of model.graph.nodes()) {
    const tensor = node.is('Constant') ? node.tensor('value') : undefined;
    if (tensor !== undefined) found.push({ value: node.output, tensor });
  }
  return found.map(({ value, tensor }) => ({
    value,
    tensor,
    dequantizer: value.consumers.find(isDequantizerOf(value)),
  }));
}

function isDequantizerOf(value: Value): (node: Node) => boolean {
  return (node) => isDequantizer(node) && node.input(0) === value;
}

function readerOf(value: Value): Node | undefined {
  let node = value.consumers[0];
  for (let step = 0; step < 8 && node !== undefined; step++) {
    if (!isDequantizer(node) && !isQuantizer(node) && !node.is('Identity', 'Cast')) return node;
    node = node.outputs[0]?.consumers[0];
  }
  return node;
}

function isQuantizationParameter(value: Value): boolean {
  const { consumers } = value;
  return (
    consumers.length > 0 &&
    consumers.every((node) => (isQuantizer(node) || isDequantizer(node)) && node.input(0) !== value)
  );
}

import type { Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { Tensor } from '../../tensor/tensor.ts';

/** What a rule may ask about the model, which is still in its old form. */
export interface UpgradeContext {
  readonly from: number;
  readonly to: number;
  /** Sizes, undefined where they are not fixed; undefined where not even the rank is known. */
  shape(value: Value | undefined): readonly (number | undefined)[] | undefined;
  /** Element type number; 0 where it is not known. */
  elemType(value: Value | undefined): number;
  /** The content of a value that no run can change. */
  constant(value: Value | undefined): Tensor | undefined;
  /** True if a node reads the value or a graph gives it out. */
  isUsed(value: Value): boolean;
}

/** An edit that turns one node into its equal of the new version. */
export interface Upgrade {
  readonly summary: string;
  apply(): void;
}

/** The edit, the reason why there is none, or nothing where the node is the same in both versions. */
export type Verdict = Upgrade | string | undefined;
export type Rule = (node: Node, context: UpgradeContext) => Verdict;

/** Rules by operator. */
export class RuleSet {
  readonly byOpType = new Map<string, Rule>();

  /** Adds one rule for all operators of a list that is separated by spaces. */
  add(opTypes: string, rule: Rule): void {
    for (const opType of opTypes.split(' ')) this.byOpType.set(opType, rule);
  }
}

export function edit(summary: string, apply: () => void): Upgrade {
  return { summary, apply };
}

export function drop(node: Node, ...names: readonly string[]): void {
  for (const name of names) node.attributes.delete(name);
}

/** True if the range of versions crosses the one in which something changed. */
export function crosses({ from, to }: UpgradeContext, version: number): boolean {
  return from < version && to >= version;
}

export function constantInput(node: Node, index: number, label: string, tensor: Tensor): void {
  const name = `${node.name || node.output.name}_${label}`;
  node.setInput(index, node.graph!.addInitializer(tensor.withName(name)));
}

/** Integers of an attribute as they are, beyond 2^53 too. */
export function integers(node: Node, name: string): readonly (number | bigint)[] | undefined {
  return node.attribute(name, 'ints')?.value;
}

export function intTensor(values: readonly (number | bigint)[]): Tensor {
  return Tensor.int64('', [values.length], values);
}

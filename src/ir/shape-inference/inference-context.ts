import type { Node } from '../node.ts';
import type { ValueType } from '../types.ts';
import type { Value } from '../value.ts';
import { type Content, numbersOf } from './content.ts';
import { DimExpression, type SymbolicDim, type SymbolicShape } from './dim-expression.ts';

/** What is known of a value. `elemType` 0 means unknown; a shape that is known has no unknown dimension: it has symbols. */
export interface InferredType {
  readonly elemType: number;
  readonly shape: SymbolicShape | undefined;
  readonly content?: Content | undefined;
  /** The type of a value that is no tensor. */
  readonly other?: ValueType | undefined;
}

/** What a shape rule sees of a node: the inferred types of its inputs, and where to put those of its outputs. */
export class InferenceContext {
  readonly node: Node;
  /** Version of the default operator set. */
  readonly opset: number;
  readonly #lookup: (value: Value) => InferredType | undefined;
  readonly #results: InferredType[] = [];
  readonly #symbolPrefix: string;
  #symbolCount = 0;
  /** Infers a subgraph of the node; afterwards `typeOf` knows its values. */
  readonly inferSubgraph: (
    name: string,
    inputTypes?: readonly (InferredType | undefined)[],
  ) => InferredType[] | undefined;

  constructor(
    node: Node,
    opset: number,
    symbolPrefix: string,
    lookup: (value: Value) => InferredType | undefined,
    inferSubgraph: (name: string, inputTypes?: readonly (InferredType | undefined)[]) => InferredType[] | undefined,
  ) {
    this.node = node;
    this.opset = opset;
    this.#symbolPrefix = symbolPrefix;
    this.#lookup = lookup;
    this.inferSubgraph = inferSubgraph;
  }

  /** A context for the same node in which one input has another type. */
  withInput(index: number, type: InferredType): InferenceContext {
    const replaced = this.node.input(index);
    const lookup = (value: Value) => (value === replaced ? type : this.#lookup(value));
    return new InferenceContext(this.node, this.opset, `${this.#symbolPrefix}.w`, lookup, this.inferSubgraph);
  }

  get inputCount(): number {
    return this.node.inputs.length;
  }

  get outputCount(): number {
    return this.node.outputs.length;
  }

  has(index: number): boolean {
    return this.node.input(index) !== undefined;
  }

  type(index: number): InferredType | undefined {
    const value = this.node.input(index);
    return value === undefined ? undefined : this.#lookup(value);
  }

  elemType(index: number): number {
    return this.type(index)?.elemType ?? 0;
  }

  shape(index: number): SymbolicShape | undefined {
    return this.type(index)?.shape;
  }

  content(index: number): Content | undefined {
    return this.type(index)?.content;
  }

  /** The elements of an input whose every element is known and fixed. */
  numbers(index: number): number[] | undefined {
    return numbersOf(this.content(index));
  }

  set(output: number, elemType: number, shape: SymbolicShape | undefined, content?: Content): void {
    this.#results[output] = { elemType, shape, content };
  }

  setType(output: number, type: InferredType): void {
    this.#results[output] = type;
  }

  result(output: number): InferredType | undefined {
    return this.#results[output];
  }

  /** A symbol for a dimension that nothing is known of. */
  unknownDim(): DimExpression {
    return DimExpression.symbol(`\u0002${this.#symbolPrefix}.${this.#symbolCount++}`);
  }

  orUnknown(dim: SymbolicDim | undefined): SymbolicDim {
    return dim ?? this.unknownDim();
  }

  unknownShape(rank: number): SymbolicShape {
    return Array.from({ length: rank }, () => this.unknownDim());
  }

  /** A list that newer operator sets take as an input and older ones as an attribute: axes, pads, split, … */
  listFrom(attribute: string, input: number): number[] | undefined {
    return this.node.ints(attribute) ?? (this.has(input) ? this.numbers(input) : undefined);
  }
}

/** Infers the types of a node's outputs. A rule may set nothing; it must not throw on odd nodes. */
export type ShapeRule = (context: InferenceContext) => void;

/** The axis counted from the front, or undefined where it is out of range. */
export function normalizeAxis(axis: number, rank: number): number | undefined {
  const normalized = axis < 0 ? axis + rank : axis;
  return Number.isInteger(normalized) && normalized >= 0 && normalized < rank ? normalized : undefined;
}

import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from './graph.ts';
import type { Attribute, AttributeKind } from './types.ts';
import { Value } from './value.ts';

const utf8 = new TextDecoder();

/** What a new node is made of. Plain attribute values are wrapped by kind: see the `attr` builders. */
export interface NodeInit {
  readonly name?: string;
  readonly domain?: string;
  readonly overload?: string;
  readonly attributes?: readonly Attribute[];
}

/** One operator call. Optional inputs that are left out are undefined; outputs left out have an empty name. */
export class Node {
  opType: string;
  /** '' for the default domain (also written 'ai.onnx'). */
  domain: string;
  overload: string;
  name: string;
  readonly attributes = new Map<string, Attribute>();
  /** The graph the node is in; undefined before it is inserted and after it is removed. */
  graph: Graph | undefined;
  #inputs: (Value | undefined)[] = [];
  #outputs: Value[] = [];
  /** @internal Links of the graph's node list. */
  previous: Node | undefined;
  /** @internal */
  next: Node | undefined;

  constructor(
    opType: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly (Value | string)[],
    init: NodeInit = {},
  ) {
    this.opType = opType;
    this.domain = init.domain ?? '';
    this.overload = init.overload ?? '';
    this.name = init.name ?? '';
    for (const attribute of init.attributes ?? []) this.attributes.set(attribute.name, attribute);
    for (const input of inputs) this.addInput(input);
    for (const output of outputs) this.addOutput(typeof output === 'string' ? new Value(output) : output);
  }

  get inputs(): readonly (Value | undefined)[] {
    return this.#inputs;
  }

  get outputs(): readonly Value[] {
    return this.#outputs;
  }

  /** The i-th input, or undefined where it is left out. */
  input(index: number): Value | undefined {
    return this.#inputs[index];
  }

  /** The first output, which every node has. */
  get output(): Value {
    return this.#outputs[0]!;
  }

  /** True for an operator of the default ONNX domain. */
  is(...opTypes: readonly string[]): boolean {
    return (this.domain === '' || this.domain === 'ai.onnx') && opTypes.includes(this.opType);
  }

  addInput(value: Value | undefined): void {
    this.#inputs.push(value);
    value?.connect(this);
  }

  addOutput(value: Value): void {
    value.producer = this;
    this.#outputs.push(value);
  }

  setInput(index: number, value: Value | undefined): void {
    while (this.#inputs.length <= index) this.#inputs.push(undefined);
    this.#inputs[index]?.disconnect(this);
    this.#inputs[index] = value;
    value?.connect(this);
  }

  /** Cuts the input list to `length`. */
  truncateInputs(length: number): void {
    for (const value of this.#inputs.splice(length)) value?.disconnect(this);
  }

  /** Cuts the output list to `length`; the cut values must be unused. */
  truncateOutputs(length: number): void {
    for (const value of this.#outputs.splice(length)) value.producer = undefined;
  }

  /** Replaces the output in a slot; the old value is left without a producer. */
  setOutput(index: number, value: Value): void {
    const old = this.#outputs[index];
    if (old !== undefined && old.producer === this) old.producer = undefined;
    this.#outputs[index] = value;
    value.producer = this;
  }

  replaceInputValue(from: Value, to: Value | undefined): void {
    for (let i = 0; i < this.#inputs.length; i++) if (this.#inputs[i] === from) this.setInput(i, to);
  }

  /** Disconnects all inputs: done when the node leaves its graph for good. */
  disconnect(): void {
    for (let i = 0; i < this.#inputs.length; i++) this.setInput(i, undefined);
    this.#inputs = [];
  }

  attribute<K extends AttributeKind>(name: string, kind: K): Extract<Attribute, { kind: K }> | undefined {
    const attribute = this.attributes.get(name);
    return attribute?.kind === kind ? (attribute as Extract<Attribute, { kind: K }>) : undefined;
  }

  int(name: string): number | undefined;
  int(name: string, fallback: number): number;
  int(name: string, fallback?: number): number | undefined {
    const attribute = this.attribute(name, 'int');
    return attribute === undefined ? fallback : Number(attribute.value);
  }

  ints(name: string): number[] | undefined {
    return this.attribute(name, 'ints')?.value.map(Number);
  }

  float(name: string): number | undefined;
  float(name: string, fallback: number): number;
  float(name: string, fallback?: number): number | undefined {
    return this.attribute(name, 'float')?.value ?? fallback;
  }

  string(name: string): string | undefined;
  string(name: string, fallback: string): string;
  string(name: string, fallback?: string): string | undefined {
    const attribute = this.attribute(name, 'string');
    return attribute === undefined ? fallback : utf8.decode(attribute.value);
  }

  tensor(name: string): Tensor | undefined {
    return this.attribute(name, 'tensor')?.value;
  }

  setAttribute(attribute: Attribute): void {
    this.attributes.set(attribute.name, attribute);
  }

  /** The graphs in this node's attributes: branches and loop bodies. */
  subgraphs(): Graph[] {
    const graphs: Graph[] = [];
    for (const attribute of this.attributes.values()) {
      if (attribute.kind === 'graph') graphs.push(attribute.value);
      else if (attribute.kind === 'graphs') graphs.push(...attribute.value);
    }
    return graphs;
  }
}

const encoder = new TextEncoder();

/** Builders of attributes for new nodes. */
export const attr = {
  int: (name: string, value: number): Attribute => ({ name, kind: 'int', value }),
  ints: (name: string, value: readonly number[]): Attribute => ({ name, kind: 'ints', value }),
  float: (name: string, value: number): Attribute => ({ name, kind: 'float', value }),
  floats: (name: string, value: readonly number[]): Attribute => ({ name, kind: 'floats', value }),
  string: (name: string, value: string): Attribute => ({ name, kind: 'string', value: encoder.encode(value) }),
  tensor: (name: string, value: Tensor): Attribute => ({ name, kind: 'tensor', value }),
};

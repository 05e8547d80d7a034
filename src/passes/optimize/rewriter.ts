import type { Graph } from '../../ir/graph.ts';
import type { Model } from '../../ir/model.ts';
import type { Node } from '../../ir/node.ts';
import { type Content, numbersOf } from '../../ir/shape-inference/content.ts';
import type { SymbolicShape } from '../../ir/shape-inference/dim-expression.ts';
import { inferTypes, type TypeTable } from '../../ir/shape-inference/infer-types.ts';
import type { Value } from '../../ir/value.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { PassChange } from '../pass.ts';

/**
 * One pass's view of a main graph while it rewrites it: inferred types, constants, and edits that keep public names.
 * The types are those at the pass's start; values that the pass makes have none.
 */
export class Rewriter {
  readonly model: Model;
  readonly graph: Graph;
  readonly changes: PassChange[] = [];
  readonly #types: TypeTable;
  /** Outputs of all graphs, and initializers that a run may replace: neither may be merged or absorbed. */
  readonly #outputs = new Set<Value>();
  readonly #foreignOutputs = new Set<Value>();
  readonly #inputs: ReadonlySet<Value>;

  constructor(model: Model) {
    this.model = model;
    this.graph = model.graph;
    this.#types = inferTypes(model);
    this.#inputs = new Set(model.graph.inputs);
    for (const graph of model.graph.allGraphs()) {
      for (const value of graph.outputs) {
        this.#outputs.add(value);
        if (graph !== this.graph) this.#foreignOutputs.add(value);
      }
    }
  }

  shape(value: Value | undefined): SymbolicShape | undefined {
    return value === undefined ? undefined : this.#types.get(value)?.shape;
  }

  rank(value: Value | undefined): number | undefined {
    return this.shape(value)?.length;
  }

  /** Element type number; 0 where it is not known. */
  elemType(value: Value | undefined): number {
    return value === undefined ? 0 : (this.#types.get(value)?.elemType ?? 0);
  }

  content(value: Value | undefined): Content | undefined {
    return value === undefined ? undefined : this.#types.get(value)?.content;
  }

  /** The elements of a small tensor whose every element is known. */
  numbers(value: Value | undefined): number[] | undefined {
    return numbersOf(this.content(value));
  }

  /** The content of an initializer that no run can replace, or of a Constant node. */
  constant(value: Value | undefined): Tensor | undefined {
    if (value === undefined) return undefined;
    if (value.producer?.is('Constant')) return value.producer.tensor('value');
    // Before IR version 4 every initializer is listed as an input and is constant all the same.
    if (value.tensor === undefined || (this.#inputs.has(value) && this.model.irVersion >= 4)) return undefined;
    return value.tensor;
  }

  isConstant(value: Value | undefined): boolean {
    return this.constant(value) !== undefined || value?.producer?.is('Constant') === true;
  }

  isOutput(value: Value): boolean {
    return this.#outputs.has(value);
  }

  /** The only reader of a value, where that is a node of this graph that reads it once and nothing else does. */
  soleConsumer(value: Value): Node | undefined {
    if (this.#outputs.has(value) || value.useCount !== 1) return undefined;
    const consumer = value.consumers[0];
    return consumer?.graph === this.graph ? consumer : undefined;
  }

  /** The value's producer, where nothing but one slot of one node reads the value. */
  soleProducer(value: Value | undefined, ...opTypes: readonly string[]): Node | undefined {
    const producer = value?.producer;
    if (producer === undefined || producer.graph !== this.graph || !producer.is(...opTypes)) return undefined;
    return this.soleConsumer(value!) === undefined ? undefined : producer;
  }

  /** Lets the readers of a node's first output read `value` instead and removes the node. False where a public name forbids it. */
  bypass(node: Node, value: Value, kind: string, detail?: string): boolean {
    const old = node.output;
    if (this.#foreignOutputs.has(old) || this.#foreignOutputs.has(value)) return false;
    const wasOutput = this.#outputs.has(old);
    if (!this.graph.replaceValue(old, value)) return false;
    if (wasOutput) {
      this.#outputs.delete(old);
      this.#outputs.add(value);
    }
    this.graph.remove(node);
    this.report(kind, node, detail);
    return true;
  }

  /** Adds a constant and lets a node read it. */
  setConstant(node: Node, input: number, tensor: Tensor): Value {
    const value = this.graph.addInitializer(tensor);
    node.setInput(input, value);
    return value;
  }

  report(kind: string, node: Node, detail?: string): void {
    const subject = node.name || node.outputs[0]?.name || node.opType;
    this.changes.push(detail === undefined ? { kind, subject } : { kind, subject, detail });
  }
}

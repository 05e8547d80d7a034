import type { Graph } from '../graph.ts';
import type { Model } from '../model.ts';
import type { ValueType } from '../types.ts';
import type { Value } from '../value.ts';
import { type Content, contentOf } from './content.ts';
import { DimExpression, isInternalSymbol, type SymbolicDim } from './dim-expression.ts';
import { InferenceContext, type InferredType } from './inference-context.ts';
import { ruleFor } from './rules.ts';

export interface InferTypesOptions {
  /** Fixes symbolic dimensions of the inputs; a symbol this gives undefined for stays symbolic. */
  readonly resolveSymbol?: (name: string) => number | undefined;
}

/** Inferred types by value. */
export type TypeTable = ReadonlyMap<Value, InferredType>;

/**
 * Infers the type, the symbolic shape and, for small tensors, the known elements of every value, without changing the
 * model. Unnamed dimensions get symbols of their own, so equal symbols mean equal sizes on every run.
 * A type that the file states fills what cannot be inferred; where both speak, the inference is taken, since stated
 * types of inner values go stale when a model's inputs are edited. Never throws: what a rule cannot digest stays unknown.
 */
export function inferTypes(model: Model, options: InferTypesOptions = {}): TypeTable {
  return new TypeInference(model, options).run();
}

class TypeInference {
  readonly #model: Model;
  readonly #resolve: (name: string) => number | undefined;
  readonly #table = new Map<Value, InferredType>();
  #symbolCount = 0;

  constructor(model: Model, options: InferTypesOptions) {
    this.#model = model;
    this.#resolve = options.resolveSymbol ?? (() => undefined);
  }

  run(): TypeTable {
    this.#graph(this.#model.graph, undefined);
    return this.#table;
  }

  #graph(graph: Graph, inputTypes: readonly (InferredType | undefined)[] | undefined): InferredType[] {
    for (const [i, value] of graph.inputs.entries()) {
      // Symbols of the main graph's inputs are shared by name; a subgraph's input may be another size on each run.
      const declared = this.#declared(value, graph.owner === undefined);
      const given = inputTypes?.[i];
      const type = given === undefined ? declared : this.#merge(given, declared);
      if (type !== undefined) this.#table.set(value, type);
    }
    for (const value of graph.initializers) {
      const tensor = value.tensor;
      if (tensor === undefined) continue;
      // An initializer that is an input too is a default, which a run may replace.
      const content = graph.inputs.includes(value) && this.#model.irVersion >= 4 ? undefined : contentOf(tensor);
      this.#table.set(value, { elemType: tensor.dataType, shape: tensor.dims, content });
    }
    for (const node of graph.nodes()) {
      const context = new InferenceContext(
        node,
        this.#model.opset,
        `d${this.#symbolCount++}`,
        (value) => this.#table.get(value),
        (name, types) => {
          const subgraph = node.attribute(name, 'graph')?.value;
          return subgraph === undefined ? undefined : this.#graph(subgraph, types);
        },
      );
      const rule = ruleFor(node);
      try {
        rule?.(context);
      } catch {
        // An odd node: what was set before stands.
      }
      if (rule === undefined) for (const subgraph of node.subgraphs()) this.#graph(subgraph, undefined);
      for (const [i, output] of node.outputs.entries()) {
        const result = context.result(i);
        const inferred = result === undefined ? undefined : sane(result);
        const declared = this.#isDeclared(graph, output) ? this.#declared(output, false) : undefined;
        const type = inferred === undefined ? declared : this.#merge(inferred, declared);
        if (type !== undefined) this.#table.set(output, type);
      }
    }
    return graph.outputs.map((value) => this.#table.get(value) ?? { elemType: 0, shape: undefined });
  }

  #isDeclared(graph: Graph, value: Value): boolean {
    return value.type !== undefined && (graph.valueInfo.has(value) || graph.isOutput(value));
  }

  #declared(value: Value, sharesSymbols: boolean): InferredType | undefined {
    const type = value.type;
    if (type === undefined) return undefined;
    if (type.kind !== 'tensor') return { elemType: 0, shape: undefined, other: type };
    const shape = type.shape?.map((dim): SymbolicDim => {
      if (typeof dim === 'number') return dim;
      const resolved = dim === undefined ? undefined : this.#resolve(dim);
      if (resolved !== undefined) return resolved;
      return dim !== undefined && sharesSymbols ? DimExpression.symbol(dim) : this.#unknownDim();
    });
    return { elemType: type.elemType, shape };
  }

  #merge(inferred: InferredType, declared: InferredType | undefined): InferredType {
    if (declared === undefined) return inferred;
    const elemType = inferred.elemType || declared.elemType;
    const other = inferred.other ?? (inferred.elemType === 0 ? declared.other : undefined);
    if (inferred.shape === undefined) return { ...inferred, elemType, other, shape: declared.shape };
    if (declared.shape?.length !== inferred.shape.length) return { ...inferred, elemType, other };
    const shape = inferred.shape.map((dim, i): SymbolicDim => {
      const stated = declared.shape?.[i];
      return typeof stated === 'number' && typeof dim === 'object' && isUnknown(dim) ? stated : dim;
    });
    return { ...inferred, elemType, other, shape };
  }

  #unknownDim(): DimExpression {
    return DimExpression.symbol(`\u0002u${this.#symbolCount++}`);
  }
}

/** A dimension that is nothing but a symbol nobody has named. */
function isUnknown(dim: DimExpression): boolean {
  return dim.symbol !== undefined && isInternalSymbol(dim.symbol);
}

/** Drops shapes with impossible dimensions (of odd nodes, even missing ones) and elements that do not belong to their shape. */
function sane(type: InferredType): InferredType {
  const shape = type.shape;
  if (shape !== undefined && !Array.from(shape).every(isPossible)) {
    return { ...type, shape: undefined, content: undefined };
  }
  const content: Content | undefined = type.content;
  if (
    content !== undefined &&
    (shape === undefined || shape.length !== content.dims.length || shape.some((dim, i) => dim !== content.dims[i]))
  ) {
    return { ...type, content: undefined };
  }
  return type;
}

function isPossible(dim: SymbolicDim | undefined): boolean {
  return typeof dim === 'number' ? Number.isSafeInteger(dim) && dim >= 0 : dim !== undefined;
}

/** An inferred type in the form the file has; symbols that no input names become unknown dimensions. */
export function toValueType(type: InferredType): ValueType | undefined {
  if (type.other !== undefined) return type.other;
  if (type.elemType === 0) return undefined;
  const shape = type.shape?.map((dim) => {
    if (typeof dim === 'number') return dim;
    return dim.symbol === undefined || isInternalSymbol(dim.symbol) ? undefined : dim.symbol;
  });
  return { kind: 'tensor', elemType: type.elemType, shape };
}

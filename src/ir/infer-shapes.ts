import type { Graph } from './graph.ts';
import type { Model } from './model.ts';
import { inferTypes, type TypeTable, toValueType } from './shape-inference/infer-types.ts';
import type { TensorType, ValueType } from './types.ts';

/**
 * Writes inferred element types and shapes into `Value.type`, subgraphs included. What the file states of a value (graph
 * inputs, outputs, `value_info`) is only made more exact, never weaker or different; types of other values are replaced.
 * Values of unknown operators keep an undefined type. Never throws on odd models.
 */
export function inferShapes(model: Model): void {
  const table = inferTypes(model);
  for (const graph of model.graph.allGraphs()) annotate(graph, table);
}

function annotate(graph: Graph, table: TypeTable): void {
  const outputs = new Set(graph.outputs);
  for (const node of graph.nodes()) {
    for (const value of node.outputs) {
      const inferred = table.get(value);
      const type = inferred === undefined ? undefined : toValueType(inferred);
      const isStated = value.type !== undefined && (graph.valueInfo.has(value) || outputs.has(value));
      value.type = isStated ? refine(value.type, type) : type;
    }
  }
}

/** The stated type, or a new one where the inferred one knows a shape or a size that it leaves open. */
function refine(stated: ValueType | undefined, inferred: ValueType | undefined): ValueType | undefined {
  if (stated === undefined || stated.kind === 'unknown') return inferred ?? stated;
  if (stated.kind !== 'tensor' || inferred?.kind !== 'tensor') return stated;
  if (stated.elemType !== 0 && stated.elemType !== inferred.elemType) return stated;
  const shape = refineShape(stated, inferred);
  return shape === stated.shape && stated.elemType === inferred.elemType
    ? stated
    : { kind: 'tensor', elemType: inferred.elemType, shape };
}

function refineShape(stated: TensorType, inferred: TensorType): TensorType['shape'] {
  if (stated.shape === undefined) return inferred.shape;
  if (inferred.shape?.length !== stated.shape.length) return stated.shape;
  const shape = stated.shape.map((dim, i) => {
    const other = inferred.shape?.[i];
    if (dim === undefined) return other;
    return typeof dim === 'string' && typeof other === 'number' ? other : dim;
  });
  return shape.every((dim, i) => dim === stated.shape?.[i]) ? stated.shape : shape;
}

import type { Model } from '../../ir/model.ts';
import type { Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import type { SummedAxis } from '../../pruning/n-of-m-mask.ts';
import { DataType } from '../../tensor/data-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The weights of one layer: of the first node that reads them, where several do. */
export interface PrunableWeight {
  readonly value: Value;
  readonly node: Node;
  readonly tensor: Tensor;
  /** The axis whose products are added up. */
  readonly axis: SummedAxis;
}

/** Smaller ones are hardly worth a name. */
const MIN_ELEMENTS = 32;

/**
 * Float weights of Conv, ConvTranspose, Gemm and MatMul, subgraphs included, in graph order. Biases, tables and weights that
 * are also outputs are none; neither are those of which any reader is excluded, or is another kind of operator.
 */
export function prunableWeights(model: Model, isExcluded: (node: Node) => boolean): PrunableWeight[] {
  const weights = new Map<Value, PrunableWeight>();
  const refused = new Set<Value>();
  for (const graph of model.graph.allGraphs()) {
    for (const value of graph.outputs) refused.add(value);
    for (const node of graph.nodes()) {
      for (const [index, value] of node.inputs.entries()) {
        if (value?.tensor === undefined) continue;
        const axis = isExcluded(node) ? undefined : summedAxis(node, index, value.tensor);
        if (axis === undefined) refused.add(value);
        else if (!weights.has(value)) weights.set(value, { value, node, tensor: value.tensor, axis });
      }
    }
  }
  return [...weights.values()].filter(({ value }) => !refused.has(value));
}

function summedAxis(node: Node, index: number, tensor: Tensor): SummedAxis | undefined {
  const { dims, dataType } = tensor;
  if (dataType !== DataType.float32 && dataType !== DataType.float16) return undefined;
  if (dims.length < 2 || tensor.elementCount < MIN_ELEMENTS) return undefined;
  if (node.is('MatMul') && index < 2) return along(dims, index === 0 ? dims.length - 1 : dims.length - 2);
  if (node.is('Gemm') && index < 2) {
    const isTransposed = node.int(index === 0 ? 'transA' : 'transB', 0) !== 0;
    return along(dims, isTransposed === (index === 0) ? 0 : 1);
  }
  if (index !== 1) return undefined;
  if (node.is('Conv')) return along(dims, 1);
  return node.is('ConvTranspose') ? along(dims, 0) : undefined;
}

function along(dims: readonly number[], axis: number): SummedAxis {
  const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
  return { outer: product(dims.slice(0, axis)), length: dims[axis]!, inner: product(dims.slice(axis + 1)) };
}

import type { Node } from '../../ir/node.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { type Pass, passResult } from '../pass.ts';
import { Rewriter } from './rewriter.ts';

/**
 * Writes operators in the form that engines fuse and quantize: a Sum of two as Add, a Min or Max with a constant as Clip,
 * two Clips in a row as one, a mean over height and width as GlobalAveragePool.
 */
export function canonicalizeOperators(): Pass {
  return {
    name: 'canonicalize-operators',
    run(model) {
      const rewriter = new Rewriter(model);
      for (const node of model.graph.nodes()) {
        const detail = rewrite(rewriter, node);
        if (detail !== undefined) rewriter.report('canonicalize-operator', node, detail);
      }
      return passResult(rewriter.changes);
    },
  };
}

function rewrite(rewriter: Rewriter, node: Node): string | undefined {
  const { opset } = rewriter.model;
  if (node.is('Sum') && node.inputs.length === 2 && opset >= 8) {
    node.opType = 'Add';
    return 'Sum to Add';
  }
  if (node.is('Min', 'Max') && opset >= 11) return boundToClip(rewriter, node);
  if (node.is('Clip') && opset >= 11) return mergeClips(rewriter, node);
  if (node.is('ReduceMean') && opset >= 7) return meanToPool(rewriter, node);
  return undefined;
}

function boundToClip(rewriter: Rewriter, node: Node): string | undefined {
  if (node.inputs.length !== 2) return undefined;
  for (const index of [0, 1]) {
    const bound = node.input(index);
    const data = node.input(1 - index);
    const tensor = rewriter.constant(bound);
    if (tensor === undefined || data === undefined || rewriter.isConstant(data)) continue;
    const rank = rewriter.rank(data);
    // A Clip's bounds are scalars; the shape must be the data's.
    if (tensor.dataType !== DataType.float32 || tensor.elementCount !== 1) continue;
    if (rank === undefined || tensor.dims.length > rank) continue;
    const [value] = tensor.toFloat32();
    if (value === undefined || Number.isNaN(value)) continue;
    const from = node.opType;
    const slot = from === 'Max' ? 1 : 2;
    node.opType = 'Clip';
    node.truncateInputs(0);
    node.setInput(0, data);
    rewriter.setConstant(node, slot, Tensor.float32(`${node.output.name}_${from.toLowerCase()}`, [], [value]));
    mergeClips(rewriter, node);
    return `${from} to Clip`;
  }
  return undefined;
}

function mergeClips(rewriter: Rewriter, node: Node): string | undefined {
  const first = rewriter.soleProducer(node.input(0), 'Clip');
  if (first === undefined) return undefined;
  const [outer, inner] = [bounds(rewriter, node), bounds(rewriter, first)];
  // With crossed bounds the order of the two counts.
  if (outer === undefined || inner === undefined || inner.low > inner.high || outer.low > outer.high) return undefined;
  const low = Math.min(Math.max(inner.low, outer.low), outer.high);
  const high = Math.max(Math.min(inner.high, outer.high), outer.low);
  if (low > high) return undefined;
  node.setInput(0, first.input(0));
  node.truncateInputs(1);
  const { name } = node.output;
  if (high < Number.POSITIVE_INFINITY) rewriter.setConstant(node, 2, Tensor.float32(`${name}_max`, [], [high]));
  if (low > Number.NEGATIVE_INFINITY) rewriter.setConstant(node, 1, Tensor.float32(`${name}_min`, [], [low]));
  return 'two Clips to one';
}

function bounds(rewriter: Rewriter, node: Node): { low: number; high: number } | undefined {
  const [low, high] = [1, 2].map((index) => {
    if (node.input(index) === undefined) return index === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    const tensor = rewriter.constant(node.input(index));
    return tensor?.dataType === DataType.float32 && tensor.elementCount === 1 ? tensor.toFloat32()[0] : undefined;
  });
  return low === undefined || high === undefined ? undefined : { low, high };
}

function meanToPool(rewriter: Rewriter, node: Node): string | undefined {
  const axes = node.ints('axes') ?? rewriter.numbers(node.input(1));
  if (axes?.length !== 2 || node.int('keepdims', 1) === 0) return undefined;
  if (rewriter.rank(node.input(0)) !== 4 || rewriter.elemType(node.input(0)) !== DataType.float32) return undefined;
  const spatial = axes.map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
  if (spatial[0] !== 2 || spatial[1] !== 3) return undefined;
  node.opType = 'GlobalAveragePool';
  node.attributes.clear();
  node.truncateInputs(1);
  return 'ReduceMean to GlobalAveragePool';
}

import type { Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { type Pass, passResult } from '../pass.ts';
import { type Affine, absorbIntoConsumer, absorbIntoProducer, channelVector, outputChannels } from './absorb-affine.ts';
import { Rewriter } from './rewriter.ts';

/**
 * Folds additions, subtractions, products and quotients with constants per channel into the Conv, ConvTranspose, Gemm or
 * MatMul before them, and into a Conv behind them where padding allows. A two-dimensional MatMul with an Add becomes a
 * Gemm by this. Operands of other ranks stay as they are: engines fuse those as parts of attention.
 */
export function foldAffine(): Pass {
  return {
    name: 'fold-affine',
    run(model) {
      const rewriter = new Rewriter(model);
      for (const node of model.graph.nodes()) {
        if (!isChannelArithmetic(node)) continue;
        for (const index of [0, 1]) if (node.graph !== undefined) foldBackward(rewriter, node, index);
      }
      // The last of a chain comes first: it is the one that reaches the layer behind.
      for (const node of [...model.graph.nodes()].reverse()) {
        if (!isChannelArithmetic(node)) continue;
        for (const index of [0, 1]) if (node.graph !== undefined) foldForward(rewriter, node, index);
      }
      return passResult(rewriter.changes);
    },
  };
}

/** Before operator set 7 an attribute said which axes a smaller operand lies on; such nodes are left. */
function isChannelArithmetic(node: Node): boolean {
  return node.is('Add', 'Sub', 'Mul', 'Div') && !node.attributes.has('axis') && !node.attributes.has('broadcast');
}

function foldBackward(rewriter: Rewriter, node: Node, dataIndex: number): void {
  const data = node.input(dataIndex);
  const layer = rewriter.soleProducer(data, 'Conv', 'ConvTranspose', 'Gemm', 'MatMul');
  const size = layer === undefined ? undefined : outputChannels(rewriter, layer);
  if (layer === undefined || size === undefined) return;
  const affine = affineOf(rewriter, node, dataIndex, size.rank, size.channels);
  const becomesGemm = layer.is('MatMul');
  if (affine === undefined || (becomesGemm && node.is('Mul', 'Div'))) return;
  if (!absorbIntoProducer(rewriter, layer, affine)) return;
  const kind = becomesGemm ? 'matmul-add-to-gemm' : `fold-${node.opType.toLowerCase()}`;
  rewriter.bypass(node, data!, kind, `into ${layer.name || layer.output.name}`);
}

function foldForward(rewriter: Rewriter, node: Node, dataIndex: number): void {
  const data = node.input(dataIndex);
  const conv = rewriter.soleConsumer(node.output);
  if (data === undefined || !conv?.is('Conv') || conv.input(0) !== node.output) return;
  const weight = rewriter.constant(conv.input(1));
  const rank = rewriter.rank(data);
  if (weight === undefined || rank === undefined || rank !== weight.dims.length) return;
  const channels = weight.dims[1]! * conv.int('group', 1);
  // A constant may stretch a single channel to several; then there is nothing to fold into.
  if (rewriter.shape(data)?.[1] !== channels) return;
  const affine = affineOf(rewriter, node, dataIndex, rank, channels);
  if (affine === undefined || !absorbIntoConsumer(rewriter, conv, affine)) return;
  rewriter.bypass(node, data, `fold-${node.opType.toLowerCase()}`, `into ${conv.name || conv.output.name}`);
}

/** What the node does to its data operand, per channel (axis 1). */
function affineOf(
  rewriter: Rewriter,
  node: Node,
  dataIndex: number,
  rank: number,
  channels: number,
): Affine | undefined {
  const other: Value | undefined = node.input(1 - dataIndex);
  const tensor = rewriter.constant(other);
  const vector = tensor === undefined ? undefined : channelVector(tensor, rank, 1, channels);
  if (vector === undefined || !vector.every(Number.isFinite)) return undefined;
  const zeros = new Float64Array(channels);
  switch (node.opType) {
    case 'Add':
      return { factor: undefined, offset: vector };
    case 'Sub':
      if (dataIndex === 0) return { factor: undefined, offset: vector.map((value) => -value) };
      return { factor: zeros.map(() => -1), offset: vector };
    case 'Mul':
      return { factor: vector, offset: zeros };
    default:
      return dataIndex === 0 && vector.every((value) => value !== 0)
        ? { factor: vector.map((value) => 1 / value), offset: zeros }
        : undefined;
  }
}

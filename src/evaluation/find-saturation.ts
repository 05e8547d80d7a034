import type { Model } from '../ir/model.ts';
import { inferTypes, type TypeTable } from '../ir/shape-inference/infer-types.ts';
import { neighbourPairs } from '../quantization/saturation.ts';
import { ANY_PAIR_SUM, anyOrderPairSum, MAX_SAFE_PAIR_SUM, worstPairSum } from '../quantization/worst-pair-sum.ts';
import { DataType } from '../tensor/data-type.ts';
import { type IntegerProduct, integerProducts, type WeightOperand } from './integer-products.ts';

/** Whether, where and on what the int8 products of a model can overflow 16 bits. */
export interface Saturation {
  readonly possible: boolean;
  /** The nodes that can, worst first; 32,767 fits in 16 bits. */
  readonly where: readonly { readonly node: string; readonly worstPairSum: number }[];
  /** The machines it concerns. */
  readonly on: string;
}

const MACHINES = 'x86 processors without VNNI instructions (AVX2 or AVX-512 alone)';

/** Longer sums are bounded without listing their pairs. */
const MAX_LISTED_INPUTS = 2 ** 20;

/**
 * A static check of any int8 model, without running it: the worst sum of two neighbouring uint8 x int8 products, for all
 * activations. Null where the model has no such products. It rests on what ONNX Runtime's x64 kernels do (MLAS):
 * - uint8 x int8 matrix products and convolutions add pairs along the summed axis with VPMADDUBSW (`QgemmU8S8KernelAvx2`,
 *   `QgemvU8S8KernelAvx2`, `ConvSymKernelAvx2`, and those for AVX-512), which saturates; VNNI and ARM kernels do not;
 * - uint8 weights are widened to 16 bits first (`QgemmU8U8KernelAvx2`) and are exact;
 * - depthwise convolutions (one input and one output channel per group) multiply one pair at a time and are exact;
 * - int8 activations between QuantizeLinear and DequantizeLinear become uint8 (`QDQS8ToU8Transformer`); as inputs of
 *   integer operators they go to a plain kernel (`MlasGemmQuantDispatchDefault`), which is exact.
 * Where the order of the weights cannot be followed, the worst order is assumed.
 */
export function findSaturation(model: Model, types: TypeTable = inferTypes(model)): Saturation | null {
  const mixed = integerProducts(model, types).filter(isMixedSign);
  if (mixed.length === 0) return null;
  const where = mixed
    .map((product) => ({ node: nodeName(product), worstPairSum: productPairSum(product) }))
    .filter((entry) => entry.worstPairSum > MAX_SAFE_PAIR_SUM)
    .sort((a, b) => b.worstPairSum - a.worstPairSum);
  return { possible: where.length > 0, where, on: MACHINES };
}

function nodeName({ node }: IntegerProduct): string {
  return node.name === '' ? (node.outputs[0]?.name ?? '') : node.name;
}

/** True where unsigned activations meet signed weights. */
function isMixedSign({ form, activationType, weights }: IntegerProduct): boolean {
  const signed = weights.filter((operand) => operand.dataType === DataType.int8);
  if (signed.length === 0) return false;
  if (activationType === DataType.uint8) return true;
  // Two int8 activations are both shifted; int8 activations of operators are computed as they are.
  return form === 'qdq' && signed.some((operand) => operand.constant !== undefined);
}

function productPairSum(product: IntegerProduct): number {
  let worst = 0;
  for (const operand of product.weights) {
    if (operand.dataType === DataType.int8) worst = Math.max(worst, operandPairSum(product, operand));
  }
  return worst;
}

function operandPairSum({ node, kind }: IntegerProduct, operand: WeightOperand): number {
  const { constant, isInOrder, isTransposed } = operand;
  if (constant === undefined) return ANY_PAIR_SUM;
  const { dims, bytes } = constant;
  const weights = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (weights.length === 0) return 0;
  if (!isInOrder) return anyOrderPairSum(weights);
  if (kind === 'convolution') {
    const [channels = 1, inputs = 1] = dims;
    // A single weight is one product; in depthwise convolutions products are added one by one.
    if (inputs === 1 && channels === node.int('group', 1)) return 0;
    return channelPairSum(weights, { channels, inputs, positions: weights.length / (channels * inputs), stride: 1 });
  }
  const [rows = 1, columns = 1] = dims.length === 1 ? [dims[0], 1] : dims.slice(-2);
  const layout = isTransposed
    ? { channels: rows, inputs: columns, positions: 1, stride: 1 }
    : { channels: columns, inputs: rows, positions: 1, stride: columns };
  return channelPairSum(weights, layout);
}

/** Over all output channels; matrices may be stacked. With a stride, channels are neighbours; without, they follow each other. */
function channelPairSum(
  weights: Int8Array,
  layout: { channels: number; inputs: number; positions: number; stride: number },
): number {
  const { channels, inputs, positions, stride } = layout;
  const length = inputs * positions;
  if (!Number.isInteger(positions) || length > MAX_LISTED_INPUTS) return anyOrderPairSum(weights);
  const pairs = neighbourPairs({ inputs, positions });
  const isStrided = stride > 1;
  let worst = 0;
  for (let matrix = 0; matrix < weights.length; matrix += channels * length) {
    for (let channel = 0; channel < channels; channel++) {
      const base = matrix + (isStrided ? channel : channel * length);
      worst = Math.max(worst, worstPairSum(weights, pairs, base, stride));
      if (worst === ANY_PAIR_SUM) return worst;
    }
  }
  return worst;
}

import type { Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { Rewriter } from './rewriter.ts';

/** y = factor · x + offset per channel, in float64; a factor left out is 1. */
export interface Affine {
  readonly factor: Float64Array | undefined;
  readonly offset: Float64Array;
}

/** The number of output channels of a layer with constant float32 weights, and the rank of its output. */
export function outputChannels(rewriter: Rewriter, node: Node): { channels: number; rank: number } | undefined {
  const weight = rewriter.constant(node.input(1));
  if (weight?.dataType !== DataType.float32) return undefined;
  const dims = weight.dims;
  if (node.is('Conv')) return { channels: dims[0] ?? 0, rank: dims.length };
  if (node.is('ConvTranspose')) return { channels: (dims[1] ?? 0) * node.int('group', 1), rank: dims.length };
  if (dims.length !== 2 || rewriter.rank(node.input(0)) !== 2) return undefined;
  if (node.is('Gemm')) return { channels: dims[node.int('transB', 0) === 0 ? 1 : 0] ?? 0, rank: 2 };
  return node.is('MatMul') ? { channels: dims[1]!, rank: 2 } : undefined;
}

/**
 * Moves an affine map of a layer's output into the layer: weights are scaled per output channel, the offset joins the
 * bias. A MatMul that gets a bias becomes a Gemm. False, with nothing changed, where the weights are shared or the bias
 * is not a constant vector.
 */
export function absorbIntoProducer(rewriter: Rewriter, node: Node, affine: Affine): boolean {
  const layer = outputChannels(rewriter, node);
  const weightValue = node.input(1);
  if (layer === undefined || weightValue === undefined) return false;
  const { channels } = layer;
  const isGemm = node.is('Gemm');
  const before = biasVector(rewriter, node.input(2), channels);
  if (before === undefined) return false;
  const beta = isGemm ? node.float('beta', 1) : 1;
  const factor = affine.factor;
  if (factor !== undefined && !ownsConstant(rewriter, weightValue)) return false;
  const bias = Float32Array.from(before, (b, c) => b * beta * (factor?.[c] ?? 1) + affine.offset[c]!);
  if (!bias.every(Number.isFinite)) return false;
  if (factor !== undefined) {
    const weight = rewriter.constant(weightValue)!;
    const scaled = scaleOutputs(node, weight, factor);
    if (!scaled.every(Number.isFinite)) return false;
    replaceContent(rewriter, node, 1, Tensor.float32(weight.name, weight.dims, scaled));
  }
  if (node.input(2) !== undefined || bias.some((b) => b !== 0)) {
    const name = node.input(2)?.name ?? `${node.name || node.output.name}_bias`;
    replaceContent(rewriter, node, 2, Tensor.float32(name, [channels], bias));
    if (node.is('MatMul')) node.opType = 'Gemm';
    if (isGemm) node.attributes.delete('beta');
  }
  return true;
}

/**
 * Moves an affine map of a layer's input into the layer's weights. An offset needs a convolution without padding.
 * The map has a factor or offset per input channel. False, with nothing changed, where that is impossible.
 */
export function absorbIntoConsumer(rewriter: Rewriter, node: Node, affine: Affine): boolean {
  const weightValue = node.input(1);
  const weight = rewriter.constant(weightValue);
  if (outputChannels(rewriter, node) === undefined || weight === undefined || weightValue === undefined) return false;
  if (node.is('ConvTranspose') || !ownsConstant(rewriter, weightValue)) return false;
  const hasOffset = affine.offset.some((o) => o !== 0);
  if (node.is('Conv') && hasOffset && !isUnpadded(node)) return false;
  if (node.is('Gemm') && node.int('transA', 0) !== 0) return false;
  const { outputs, inputs, at } = weightLayout(node, weight.dims);
  if (inputs !== affine.offset.length) return false;
  const source = weight.toFloat32();
  const result = new Float32Array(source.length);
  const shift = new Float64Array(outputs);
  for (let i = 0; i < source.length; i++) {
    const { output, input } = at(i);
    result[i] = source[i]! * (affine.factor?.[input] ?? 1);
    shift[output] = shift[output]! + source[i]! * affine.offset[input]!;
  }
  if (!result.every(Number.isFinite)) return false;
  const alpha = node.is('Gemm') ? node.float('alpha', 1) : 1;
  if (hasOffset) for (let o = 0; o < outputs; o++) shift[o] = shift[o]! * alpha;
  if (hasOffset && !absorbIntoProducer(rewriter, node, { factor: undefined, offset: shift })) return false;
  replaceContent(rewriter, node, 1, Tensor.float32(weight.name, weight.dims, result));
  return true;
}

/** A constant's elements as one per channel, where it varies along `channelAxis` of a value of `rank` axes at most. */
export function channelVector(
  tensor: Tensor,
  rank: number,
  channelAxis: number,
  channels: number,
): Float64Array | undefined {
  if (tensor.dataType !== DataType.float32 || tensor.dims.length > rank) return undefined;
  const axis = channelAxis - (rank - tensor.dims.length);
  if (tensor.dims.some((dim, i) => dim !== 1 && !(i === axis && dim === channels))) return undefined;
  const values = tensor.toFloat32();
  return Float64Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c]!);
}

function biasVector(rewriter: Rewriter, value: Value | undefined, channels: number): Float64Array | undefined {
  if (value === undefined) return new Float64Array(channels);
  const tensor = rewriter.constant(value);
  return tensor === undefined
    ? undefined
    : channelVector(tensor, Math.max(1, tensor.dims.length), Math.max(0, tensor.dims.length - 1), channels);
}

/** True where nothing else reads the constant, so that it can be changed in place. */
function ownsConstant(rewriter: Rewriter, value: Value): boolean {
  return value.tensor !== undefined && rewriter.soleConsumer(value) !== undefined;
}

/** Changes a constant in place where the node alone reads it, and gives the node one of its own otherwise. */
function replaceContent(rewriter: Rewriter, node: Node, input: number, tensor: Tensor): void {
  const value = node.input(input);
  if (value === undefined || !ownsConstant(rewriter, value) || value.shape?.join() !== tensor.dims.join()) {
    rewriter.setConstant(node, input, tensor);
  } else {
    value.tensor = tensor.withName(value.name);
  }
}

function scaleOutputs(node: Node, weight: Tensor, factor: Float64Array): Float32Array {
  const { at } = weightLayout(node, weight.dims);
  return weight.toFloat32().map((w, i) => w * factor[at(i).output]!);
}

interface WeightLayout {
  readonly outputs: number;
  readonly inputs: number;
  /** Output and input channel of the i-th weight. */
  at(index: number): { output: number; input: number };
}

function weightLayout(node: Node, dims: readonly number[]): WeightLayout {
  const [d0 = 1, d1 = 1] = dims;
  const group = node.int('group', 1);
  const kernel = dims.slice(2).reduce((product, dim) => product * dim, 1);
  const split = (i: number) => ({ row: Math.floor(i / (kernel * d1)), column: Math.floor(i / kernel) % d1 });
  if (node.is('Conv')) {
    return {
      outputs: d0,
      inputs: d1 * group,
      at: (i) => {
        const { row, column } = split(i);
        return { output: row, input: Math.floor(row / (d0 / group)) * d1 + column };
      },
    };
  }
  if (node.is('ConvTranspose')) {
    return {
      outputs: d1 * group,
      inputs: d0,
      at: (i) => {
        const { row, column } = split(i);
        return { output: Math.floor(row / (d0 / group)) * d1 + column, input: row };
      },
    };
  }
  const transposed = node.is('Gemm') && node.int('transB', 0) !== 0;
  return {
    outputs: transposed ? d0 : d1,
    inputs: transposed ? d1 : d0,
    at: (i) => {
      const { row, column } = split(i);
      return transposed ? { output: row, input: column } : { output: column, input: row };
    },
  };
}

function isUnpadded(node: Node): boolean {
  const autoPad = node.string('auto_pad', 'NOTSET');
  return autoPad === 'VALID' || (autoPad === 'NOTSET' && (node.ints('pads') ?? []).every((pad) => pad === 0));
}

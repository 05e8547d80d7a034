import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { dataTypeName, isFloat } from '../tensor/data-type.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Model } from './model.ts';
import type { Node } from './node.ts';
import type { Value } from './value.ts';

/** More scales than this are data, not parameters: they are left to the engine. */
const MAX_CHECKED_SCALES = 2 ** 20;

/**
 * Checks scales and zero points that a model states as constants (ONNX operators QuantizeLinear and DequantizeLinear):
 * scales are finite and not negative, and not zero where something is divided by them; zero points have the shape of the
 * scales and the type of the quantized numbers; axis and block size fit the tensor.
 * @throws EdgepackError `model-invalid`, naming the node.
 */
export function checkQuantization(model: Model): void {
  for (const graph of model.graph.allGraphs()) {
    for (const node of graph.nodes()) if (node.is('QuantizeLinear', 'DequantizeLinear')) checkNode(node);
  }
}

function checkNode(node: Node): void {
  const scale = constantOf(node.input(1));
  if (scale === undefined) return;
  checkScales(node, scale);
  const zeroPoint = constantOf(node.input(2));
  if (zeroPoint !== undefined) checkZeroPoint(node, scale, zeroPoint);
  const quantized = constantOf(node.input(0));
  if (quantized !== undefined) checkFit(node, scale, quantized.dims);
}

function checkScales(node: Node, scale: Tensor): void {
  if (!isFloat(scale.dataType)) return;
  const numbers = scale.elementCount > MAX_CHECKED_SCALES ? [] : scale.toNumbers();
  // An all-zero channel may have a scale of zero: nothing is divided by it.
  const bad = numbers.find(
    (number) => !(number >= 0 && number < Number.POSITIVE_INFINITY) || (number === 0 && node.is('QuantizeLinear')),
  );
  if (bad !== undefined) throw invalid(node, `has the scale ${bad}, which quantizes nothing`);
}

function checkZeroPoint(node: Node, scale: Tensor, zeroPoint: Tensor): void {
  if (zeroPoint.dims.join() !== scale.dims.join()) {
    throw invalid(
      node,
      `has a zero point of shape [${zeroPoint.dims.join(', ')}] for a scale of shape [${scale.dims.join(', ')}]`,
    );
  }
  const quantized = node.is('DequantizeLinear') ? constantOf(node.input(0))?.dataType : undefined;
  if (quantized !== undefined && quantized !== zeroPoint.dataType) {
    throw invalid(
      node,
      `has a zero point of type ${dataTypeName(zeroPoint.dataType)} for numbers of type ${dataTypeName(quantized)}`,
    );
  }
  if (isFloat(zeroPoint.dataType) || /^(u?int64|uint32|bool|string|complex)/.test(dataTypeName(zeroPoint.dataType))) {
    throw invalid(node, `has a zero point of the type ${dataTypeName(zeroPoint.dataType)}`);
  }
}

/** One scale, one for each position along the axis, or one for each block of it. */
function checkFit(node: Node, scale: Tensor, dims: readonly number[]): void {
  const blockSize = Number(node.int('block_size', 0));
  if (blockSize < 0) throw invalid(node, `has the block size ${blockSize}`);
  if (scale.elementCount === 1 && blockSize === 0) return;
  const stated = Number(node.int('axis', 1));
  const axis = stated < 0 ? stated + dims.length : stated;
  if (!(axis >= 0 && axis < dims.length)) {
    throw invalid(node, `has the axis ${stated} for a tensor of shape [${dims.join(', ')}]`);
  }
  const shape = scale.dims.join(', ');
  if (blockSize === 0) {
    if (scale.dims.length === 1 && scale.dims[0] === dims[axis]) return;
    throw invalid(node, `has scales of shape [${shape}] for axis ${stated} of a tensor of shape [${dims.join(', ')}]`);
  }
  const needed = dims.map((dim, i) => (i === axis ? Math.ceil(dim / blockSize) : dim));
  if (needed.join(', ') !== shape) {
    throw invalid(
      node,
      `has scales of shape [${shape}] where its block size ${blockSize} needs [${needed.join(', ')}]`,
    );
  }
}

function constantOf(value: Value | undefined): Tensor | undefined {
  if (value?.tensor !== undefined) return value.tensor;
  return value?.producer?.is('Constant') ? value.producer.tensor('value') : undefined;
}

function invalid(node: Node, message: string): EdgepackError {
  return new EdgepackError('model-invalid', message, {
    location: { node: printable(node.name || (node.outputs[0]?.name ?? '')) },
    hint: 'quantize the model again, or give its float form',
  });
}

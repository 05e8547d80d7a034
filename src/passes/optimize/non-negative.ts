import type { Value } from '../../ir/value.ts';
import type { Rewriter } from './rewriter.ts';

/** Operators that keep the sign of all their data: they move, select, repeat or average. */
const KEEPS_SIGN = [
  'AveragePool',
  'DepthToSpace',
  'Dropout',
  'Flatten',
  'Gather',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'Identity',
  'MaxPool',
  'Reshape',
  'Slice',
  'SpaceToDepth',
  'Split',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
];
const NON_NEGATIVE = ['Abs', 'Exp', 'HardSigmoid', 'Relu', 'Sigmoid', 'Softmax', 'Softplus', 'ThresholdedRelu'];
const MAX_DEPTH = 16;

/** True if no element of the value can be below zero, whatever the model's inputs are. */
export function isNonNegative(rewriter: Rewriter, value: Value | undefined, depth = 0): boolean {
  const node = value?.producer;
  if (node === undefined || depth > MAX_DEPTH) return false;
  if (node.is('ThresholdedRelu')) return node.float('alpha', 1) >= 0;
  if (node.is(...NON_NEGATIVE)) return true;
  if (node.is('Clip')) return (lowerBound(rewriter, node.input(1)) ?? node.float('min', Number.NEGATIVE_INFINITY)) >= 0;
  if (node.is(...KEEPS_SIGN)) return isNonNegative(rewriter, node.input(0), depth + 1);
  // An Add of two branches may be deep on both sides: one level more counts for several.
  if (node.is('Concat', 'Add', 'Mul', 'Max'))
    return node.inputs.every((input) => isNonNegative(rewriter, input, depth + 4));
  return false;
}

function lowerBound(rewriter: Rewriter, value: Value | undefined): number | undefined {
  const tensor = rewriter.constant(value);
  return tensor?.elementCount === 1 ? tensor.toNumbers()[0] : undefined;
}

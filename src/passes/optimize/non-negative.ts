import type { Node } from '../../ir/node.ts';
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
/** A network has its activations near; further back, nothing is looked for. */
const MAX_NODES = 64;

/** True if no element of the value can be below zero, whatever the model's inputs are. */
export function isNonNegative(rewriter: Rewriter, value: Value | undefined): boolean {
  // All of these must be so.
  const values = new Set([value]);
  for (const each of values) {
    const sources = values.size > MAX_NODES ? undefined : signSources(rewriter, each?.producer);
    if (sources === undefined) return false;
    for (const source of sources) values.add(source);
  }
  return true;
}

/** The values that must not be below zero for what the node makes not to be; undefined where it may be all the same. */
function signSources(rewriter: Rewriter, node: Node | undefined): readonly (Value | undefined)[] | undefined {
  if (node === undefined) return undefined;
  const isSafe = isNeverNegative(rewriter, node);
  if (isSafe !== undefined) return isSafe ? [] : undefined;
  if (node.is(...KEEPS_SIGN)) return [node.input(0)];
  return node.is('Concat', 'Add', 'Mul', 'Max') ? node.inputs : undefined;
}

/** Whether the operator itself sees to it; undefined for those that do not. */
function isNeverNegative(rewriter: Rewriter, node: Node): boolean | undefined {
  if (node.is('ThresholdedRelu')) return node.float('alpha', 1) >= 0;
  if (node.is(...NON_NEGATIVE)) return true;
  if (node.is('Clip')) return (lowerBound(rewriter, node.input(1)) ?? node.float('min', Number.NEGATIVE_INFINITY)) >= 0;
  return undefined;
}

function lowerBound(rewriter: Rewriter, value: Value | undefined): number | undefined {
  const tensor = rewriter.constant(value);
  return tensor?.elementCount === 1 ? tensor.toNumbers()[0] : undefined;
}

import type { ExecutionStep } from './execution-steps.ts';
import type { Value } from './value.ts';

/** Outputs that are another look at the bytes of the first input. */
const VIEWS = ['Dropout', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'] as const;

/** Elementwise kernels that may write over an input that nobody needs any more. */
const IN_PLACE = [
  'Abs',
  'Add',
  'Ceil',
  'Celu',
  'Clip',
  'Div',
  'Elu',
  'Exp',
  'Floor',
  'HardSigmoid',
  'LeakyRelu',
  'Log',
  'Mul',
  'Neg',
  'Not',
  'PRelu',
  'Reciprocal',
  'Relu',
  'Selu',
  'Sigmoid',
  'Softplus',
  'Softsign',
  'Sqrt',
  'Sub',
  'Sum',
  'Tanh',
  'ThresholdedRelu',
] as const;
/** What a product computes while it stores its outputs, where it is the only one to read them. */
const FUSED_AFTER_PRODUCT = [
  'BatchNormalization',
  'Clip',
  'HardSigmoid',
  'LeakyRelu',
  'Relu',
  'Sigmoid',
  'Tanh',
] as const;
const PRODUCTS = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'] as const;

/** How many steps read a value. */
export type Readers = ReadonlyMap<Value, number>;

/** True where the first output is the first input under another shape. */
export function isView({ node, makes }: ExecutionStep, output: Value): boolean {
  return node.is(...VIEWS) && makes[0] === output;
}

/** The inputs whose memory the first output may take once nobody else needs it, the likeliest first. */
export function reusableInputs(step: ExecutionStep, output: Value, readers: Readers): readonly Value[] {
  const { node, reads, makes, isInteger } = step;
  if (isInteger || makes[0] !== output) return [];
  if (isFused(step, readers)) return [node.input(0)!];
  return node.is(...IN_PLACE) ? reads : [];
}

/** True where the output is a product's own: then even one that leaves the graph is computed where it ends up. */
export function isFused({ node, isInteger }: ExecutionStep, readers: Readers): boolean {
  const before = node.input(0);
  if (isInteger || before === undefined || !node.is(...FUSED_AFTER_PRODUCT)) return false;
  return before.producer?.is(...PRODUCTS) === true && readers.get(before) === 1;
}

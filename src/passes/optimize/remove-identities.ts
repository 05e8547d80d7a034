import type { Node } from '../../ir/node.ts';
import { sameShape } from '../../ir/shape-inference/dim-expression.ts';
import type { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import { type Pass, passResult } from '../pass.ts';
import { isNonNegative } from './non-negative.ts';
import { Rewriter } from './rewriter.ts';

type IdentityRule = (rewriter: Rewriter, node: Node) => boolean;

/** Constants with more elements are no neutral elements that an exporter left behind. */
const MAX_NEUTRAL_ELEMENTS = 65536;

/**
 * Removes nodes that give back their first input (or, for neutral constants, their other operand): Identity, Dropout at
 * inference, Cast to the same type, reshaping to the same shape, transposing nothing, padding by nothing, taking a whole
 * slice, adding 0, multiplying by 1, clipping without bounds, and a second Relu.
 */
export function removeIdentities(): Pass {
  return {
    name: 'remove-identities',
    run(model) {
      const rewriter = new Rewriter(model);
      for (const node of model.graph.nodes()) {
        const value = identityOf(rewriter, node);
        if (value !== undefined) rewriter.bypass(node, value, 'remove-identity', node.opType);
      }
      return passResult(rewriter.changes);
    },
  };
}

/** The input that the node's output is equal to on every run. */
function identityOf(rewriter: Rewriter, node: Node): Value | undefined {
  if (!node.is(node.opType) || node.outputs.slice(1).some((value) => value.useCount > 0 || rewriter.isOutput(value))) {
    return undefined;
  }
  const operand = neutralOperand(rewriter, node);
  if (operand !== undefined) return operand;
  const rule = Object.hasOwn(rules, node.opType) ? rules[node.opType] : undefined;
  return rule?.(rewriter, node) === true ? node.input(0) : undefined;
}

const always: IdentityRule = () => true;

const keepsShape: IdentityRule = (rewriter, node) =>
  sameShape(rewriter.shape(node.input(0)), rewriter.shape(node.output));

const isSingle: IdentityRule = (_rewriter, node) => node.inputs.length === 1;

const isInference: IdentityRule = (rewriter, node) =>
  node.input(2) === undefined || rewriter.constant(node.input(2))?.toNumbers()[0] === 0;

const castsToSame: IdentityRule = (rewriter, node) => {
  const from = rewriter.elemType(node.input(0));
  return from !== 0 && from === node.int('to');
};

const movesNothing: IdentityRule = (_rewriter, node) => node.ints('perm')?.every((axis, i) => axis === i) === true;

/** A slice of the input's own shape is the input, unless it runs backwards. */
const takesAll: IdentityRule = (rewriter, node) => {
  const steps = node.input(4) === undefined ? [] : rewriter.numbers(node.input(4));
  return steps?.every((step) => step > 0) === true && keepsShape(rewriter, node);
};

/** Of the input's shape, and with no negative pads that positive ones make up for. */
const padsNothing: IdentityRule = (rewriter, node) => {
  const pads = node.ints('pads') ?? rewriter.numbers(node.input(1));
  return pads?.every((pad) => pad === 0) === true;
};

const repeatsOnce: IdentityRule = (rewriter, node) =>
  node.inputs.length === 2 && rewriter.numbers(node.input(1))?.every((count) => count === 1) === true;

const resizesNothing: IdentityRule = (rewriter, node) => {
  const scales = node.attribute('scales', 'floats')?.value ?? rewriter.numbers(node.input(node.is('Upsample') ? 1 : 2));
  const isPlain = node.string('coordinate_transformation_mode', 'half_pixel') !== 'tf_crop_and_resize';
  return (
    isPlain &&
    node.input(3) === undefined &&
    scales !== undefined &&
    scales.length > 0 &&
    scales.every((scale) => scale === 1)
  );
};

const hasNoBounds: IdentityRule = (rewriter, node) => {
  const low = node.input(1) === undefined ? node.float('min', -FLOAT_MAX) : rewriter.numbers(node.input(1))?.[0];
  const high = node.input(2) === undefined ? node.float('max', FLOAT_MAX) : rewriter.numbers(node.input(2))?.[0];
  const isFloat = rewriter.elemType(node.input(0)) === DataType.float32;
  const bounded = node.input(1) !== undefined || node.input(2) !== undefined;
  return (isFloat || !bounded) && low !== undefined && high !== undefined && low <= -FLOAT_MAX && high >= FLOAT_MAX;
};
const FLOAT_MAX = 3.4028234663852886e38;

const isRectified: IdentityRule = (rewriter, node) => {
  if (isNonNegative(rewriter, node.input(0))) return true;
  // A Clip that starts at 0 or above does a Relu's work too.
  const clip = rewriter.soleConsumer(node.output);
  return clip?.is('Clip') === true && clip.input(0) === node.output && isNonNegative(rewriter, clip.output);
};

const rules: Readonly<Record<string, IdentityRule>> = {
  Identity: always,
  Dropout: isInference,
  Cast: castsToSame,
  CastLike: (rewriter, node) => {
    const from = rewriter.elemType(node.input(0));
    return from !== 0 && from === rewriter.elemType(node.input(1));
  },
  Reshape: keepsShape,
  Flatten: keepsShape,
  Squeeze: keepsShape,
  Unsqueeze: keepsShape,
  Expand: keepsShape,
  Transpose: movesNothing,
  Slice: takesAll,
  Pad: padsNothing,
  Tile: repeatsOnce,
  Split: keepsShape,
  Resize: resizesNothing,
  Upsample: resizesNothing,
  Concat: isSingle,
  Sum: isSingle,
  Mean: isSingle,
  Max: isSingle,
  Min: isSingle,
  Clip: hasNoBounds,
  Relu: isRectified,
};

/** The operand that an addition of 0, a multiplication with 1 and the like leave as it is. */
function neutralOperand(rewriter: Rewriter, node: Node): Value | undefined {
  if (!node.is('Add', 'Sub', 'Mul', 'Div', 'Pow')) return undefined;
  const neutral = node.is('Add', 'Sub') ? 0 : 1;
  const isCommutative = node.is('Add', 'Mul');
  for (const index of isCommutative ? [1, 0] : [1]) {
    const tensor = rewriter.constant(node.input(index));
    const other = node.input(1 - index);
    if (tensor === undefined || tensor.elementCount === 0 || tensor.elementCount > MAX_NEUTRAL_ELEMENTS) continue;
    if (!sameShape(rewriter.shape(other), rewriter.shape(node.output))) continue;
    if (rewriter.elemType(other) !== rewriter.elemType(node.output) || !NUMERIC.has(tensor.dataType)) continue;
    if (tensor.toNumbers().every((value) => value === neutral)) return other;
  }
  return undefined;
}

const NUMERIC = new Set<number>([DataType.float32, DataType.float64, DataType.int64, DataType.int32]);

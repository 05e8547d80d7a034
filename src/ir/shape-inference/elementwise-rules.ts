import { DataType, isFloat } from '../../tensor/data-type.ts';
import { broadcastShapes, mapContents } from './broadcast.ts';
import type { Content } from './content.ts';
import {
  addDims,
  divideDims,
  lowerBoundOf,
  multiplyDims,
  opaqueDim,
  type SymbolicDim,
  sameDim,
  subtractDims,
} from './dim-expression.ts';
import type { InferenceContext, ShapeRule } from './inference-context.ts';

type Element = SymbolicDim | undefined;

/** Output has the first input's type and shape. */
export const sameAsFirst: ShapeRule = (context) => {
  const type = context.type(0);
  if (type !== undefined) context.setType(0, { elemType: type.elemType, shape: type.shape, other: type.other });
};

const identity: ShapeRule = (context) => {
  const type = context.type(0);
  if (type !== undefined) context.setType(0, type);
};

function unary(apply: (value: number) => number): ShapeRule {
  return (context) => {
    context.set(
      0,
      context.elemType(0),
      context.shape(0),
      mapContents([context.content(0)], ([a]) => onNumber(a, apply)),
    );
  };
}

const negate: ShapeRule = (context) => {
  const content = mapContents([context.content(0)], ([a]) => (a === undefined ? undefined : multiplyDims(a, -1)));
  context.set(0, context.elemType(0), context.shape(0), content);
};

function binary(apply: (a: SymbolicDim, b: SymbolicDim, elemType: number) => Element, result?: number): ShapeRule {
  return (context) => {
    const elemType = context.elemType(0) || context.elemType(1);
    const content = mapContents([context.content(0), context.content(1)], ([a, b]) =>
      a === undefined || b === undefined ? undefined : rounded(apply(a, b, elemType), elemType),
    );
    context.set(0, result ?? elemType, binaryShape(context), content);
  };
}

/** What float32 arithmetic gives; sums, products and quotients of float32 numbers are exact in float64 before rounding. */
function rounded(element: Element, elemType: number): Element {
  return typeof element === 'number' && elemType === DataType.float32 ? Math.fround(element) : element;
}

/** Before operator set 7 the second operand was laid on the first one's axes on demand; the first one's shape stood. */
function binaryShape(context: InferenceContext) {
  if (context.opset > 0 && context.opset < 7) return context.shape(0);
  return broadcastShapes([context.shape(0), context.shape(1)]);
}

/** Any number of inputs, broadcast together. */
function variadic(apply?: (a: SymbolicDim, b: SymbolicDim) => Element): ShapeRule {
  return (context) => {
    const indices = context.node.inputs.map((_, i) => i);
    const elemType = indices.map((i) => context.elemType(i)).find((type) => type !== 0) ?? 0;
    let content: Content | undefined;
    if (apply !== undefined) {
      content = mapContents(
        indices.map((i) => context.content(i)),
        (elements) =>
          elements.reduce<Element>(
            (sum, element, i) =>
              i === 0 ? element : sum === undefined || element === undefined ? undefined : apply(sum, element),
            undefined,
          ),
      );
    }
    context.set(0, elemType, broadcastShapes(indices.map((i) => context.shape(i))), content);
  };
}

function onNumber(a: Element, apply: (value: number) => number): Element {
  if (typeof a !== 'number') return undefined;
  const value = apply(a);
  return Number.isNaN(value) ? undefined : value;
}

function onNumbers(apply: (a: number, b: number) => number) {
  return (a: SymbolicDim, b: SymbolicDim): Element =>
    typeof a === 'number' && typeof b === 'number' ? onNumber(apply(a, b), (value) => value) : undefined;
}

function divide(a: SymbolicDim, b: SymbolicDim, elemType: number): Element {
  if (isFloat(elemType)) return onNumbers((x, y) => x / y)(a, b) ?? divideDims(a, b);
  if (typeof a === 'number' && typeof b === 'number') return b === 0 ? undefined : Math.trunc(a / b);
  return divideDims(a, b) ?? (isNonNegative(a) && isPositive(b) ? opaqueDim('floor-divide', a, b) : undefined);
}

function modulo(a: SymbolicDim, b: SymbolicDim): Element {
  return onNumbers((x, y) => (y === 0 || x < 0 || y < 0 ? Number.NaN : x % y))(a, b);
}

function isNonNegative(dim: SymbolicDim): boolean {
  return (lowerBoundOf(dim) ?? -1) >= 0;
}

function isPositive(dim: SymbolicDim): boolean {
  return (lowerBoundOf(dim) ?? 0) > 0;
}

function equal(a: SymbolicDim, b: SymbolicDim): Element {
  if (sameDim(a, b)) return 1;
  const difference = subtractDims(a, b);
  if (difference === undefined) return undefined;
  if (typeof difference === 'number') return difference === 0 ? 1 : 0;
  const opposite = multiplyDims(difference, -1);
  return isPositive(difference) || (opposite !== undefined && isPositive(opposite)) ? 0 : undefined;
}

/** 1 if a < b (or a ≤ b) for every value of the symbols, 0 if for none. */
function isLess(a: SymbolicDim, b: SymbolicDim, orEqual: boolean): Element {
  if (typeof a === 'number' && typeof b === 'number') return (orEqual ? a <= b : a < b) ? 1 : 0;
  const above = subtractDims(b, a);
  const below = subtractDims(a, b);
  if (above !== undefined && (orEqual ? isNonNegative(above) : isPositive(above))) return 1;
  if (below !== undefined && (orEqual ? isPositive(below) : isNonNegative(below))) return 0;
  return undefined;
}

function extreme(pickFirst: (a: SymbolicDim, b: SymbolicDim) => Element, fallback: (a: number, b: number) => number) {
  return (a: SymbolicDim, b: SymbolicDim): Element => {
    const first = pickFirst(a, b);
    if (first === undefined) return onNumbers(fallback)(a, b);
    return first === 1 ? a : b;
  };
}

const cast: ShapeRule = (context) => {
  const to = context.node.int('to', 0);
  const content = mapContents([context.content(0)], ([a]) => castElement(a, to, context.elemType(0)));
  context.set(0, to, context.shape(0), content);
};

function castElement(a: Element, to: number, from: number): Element {
  if (a === undefined) return undefined;
  if (to === DataType.bool) return typeof a === 'number' ? (a === 0 ? 0 : 1) : undefined;
  if (to === DataType.int64 || to === DataType.int32) {
    if (typeof a === 'number')
      return Number.isFinite(a) && Math.abs(a) < 2 ** 31
        ? Math.trunc(a)
        : to === DataType.int64 && !isFloat(from)
          ? a
          : undefined;
    return a;
  }
  if (to === DataType.float32 || to === DataType.float64)
    return typeof a === 'number' ? (to === DataType.float32 ? Math.fround(a) : a) : a;
  return undefined;
}

const castLike: ShapeRule = (context) => context.set(0, context.elemType(1), context.shape(0));

const where: ShapeRule = (context) => {
  const content = mapContents([context.content(0), context.content(1), context.content(2)], ([condition, a, b]) =>
    typeof condition === 'number' ? (condition === 0 ? b : a) : sameDim(a, b) ? a : undefined,
  );
  const shape = broadcastShapes([context.shape(0), context.shape(1), context.shape(2)]);
  context.set(0, context.elemType(1) || context.elemType(2), shape, content);
};

const comparison = (apply: (a: SymbolicDim, b: SymbolicDim) => Element) => binary(apply, DataType.bool);
const logical = (apply: (a: boolean, b: boolean) => boolean) =>
  binary((a, b) => onNumbers((x, y) => (apply(x !== 0, y !== 0) ? 1 : 0))(a, b), DataType.bool);

const toBool: ShapeRule = (context) => context.set(0, DataType.bool, context.shape(0));

const not: ShapeRule = (context) =>
  context.set(
    0,
    DataType.bool,
    context.shape(0),
    mapContents([context.content(0)], ([a]) => onNumber(a, (x) => (x === 0 ? 1 : 0))),
  );

const preluShape: ShapeRule = (context) => context.set(0, context.elemType(0), context.shape(0));

const same = Object.fromEntries(
  [
    'Acos',
    'Acosh',
    'Asin',
    'Asinh',
    'Atan',
    'Atanh',
    'BitwiseNot',
    'Celu',
    'Clip',
    'Cos',
    'Cosh',
    'Elu',
    'Erf',
    'Exp',
    'Gelu',
    'HardSigmoid',
    'HardSwish',
    'Hardmax',
    'LeakyRelu',
    'Log',
    'LogSoftmax',
    'LpNormalization',
    'LRN',
    'MeanVarianceNormalization',
    'Mish',
    'Reciprocal',
    'Relu',
    'Round',
    'Selu',
    'Shrink',
    'Sigmoid',
    'Sign',
    'Sin',
    'Sinh',
    'Softmax',
    'Softplus',
    'Softsign',
    'Sqrt',
    'Swish',
    'Tan',
    'Tanh',
    'ThresholdedRelu',
    'InstanceNormalization',
    'GroupNormalization',
    'RMSNormalization',
    'CumSum',
    'CumProd',
    'ReverseSequence',
    'Trilu',
    'Scatter',
    'ScatterElements',
    'Bernoulli',
    'RotaryEmbedding',
  ].map((opType) => [opType, sameAsFirst]),
);

export const elementwiseRules: Readonly<Record<string, ShapeRule>> = {
  ...same,
  Identity: identity,
  Abs: unary(Math.abs),
  Ceil: unary(Math.ceil),
  Floor: unary(Math.floor),
  Sqrt: unary(Math.sqrt),
  Neg: negate,
  Not: not,
  IsNaN: toBool,
  IsInf: toBool,
  Add: binary(addDims),
  Sub: binary(subtractDims),
  Mul: binary(multiplyDims),
  Div: binary(divide),
  Mod: binary(modulo),
  Pow: binary((a, b) => onNumbers((x, y) => x ** y)(a, b)),
  BitShift: binary(() => undefined),
  BitwiseAnd: binary(() => undefined),
  BitwiseOr: binary(() => undefined),
  BitwiseXor: binary(() => undefined),
  PRelu: preluShape,
  Max: variadic(extreme((a, b) => isLess(b, a, true), Math.max)),
  Min: variadic(extreme((a, b) => isLess(a, b, true), Math.min)),
  Mean: variadic(),
  Sum: variadic(addDims),
  Equal: comparison(equal),
  Greater: comparison((a, b) => isLess(b, a, false)),
  GreaterOrEqual: comparison((a, b) => isLess(b, a, true)),
  Less: comparison((a, b) => isLess(a, b, false)),
  LessOrEqual: comparison((a, b) => isLess(a, b, true)),
  And: logical((a, b) => a && b),
  Or: logical((a, b) => a || b),
  Xor: logical((a, b) => a !== b),
  Cast: cast,
  CastLike: castLike,
  BitCast: (context) => context.set(0, context.node.int('to', 0), undefined),
  Where: where,
};

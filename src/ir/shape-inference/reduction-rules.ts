import { DataType } from '../../tensor/data-type.ts';
import type { Content } from './content.ts';
import { addDims, productOf, type SymbolicDim } from './dim-expression.ts';
import { normalizeAxis, type ShapeRule } from './inference-context.ts';

type Fold = (elements: readonly (SymbolicDim | undefined)[]) => SymbolicDim | undefined;

function reduce(fold?: Fold): ShapeRule {
  return (context) => {
    const { node } = context;
    const elemType = context.elemType(0);
    const shape = context.shape(0);
    const keepDims = node.int('keepdims', 1) !== 0;
    const given = node.attributes.has('axes') || context.has(1);
    const axes = given ? context.listFrom('axes', 1) : undefined;
    if (shape === undefined) {
      const scalar = !given && !keepDims && node.int('noop_with_empty_axes', 0) === 0;
      return context.set(0, elemType, scalar ? [] : undefined);
    }
    if (given && axes === undefined) {
      const count = context.shape(1)?.[0];
      const rank = keepDims ? shape.length : typeof count === 'number' && count > 0 ? shape.length - count : -1;
      return context.set(0, elemType, rank >= 0 ? context.unknownShape(rank) : undefined);
    }
    const noop = node.int('noop_with_empty_axes', 0) !== 0;
    if ((axes === undefined || axes.length === 0) && noop) return context.set(0, elemType, shape);
    const all = axes === undefined || axes.length === 0;
    const reduced = new Set(all ? shape.map((_, i) => i) : axes.map((axis) => normalizeAxis(axis, shape.length)));
    const dims = keepDims ? shape.map((dim, i) => (reduced.has(i) ? 1 : dim)) : shape.filter((_, i) => !reduced.has(i));
    const content = context.content(0);
    let folded: Content | undefined;
    if (fold !== undefined && content !== undefined && reduced.size === shape.length) {
      folded = { dims: dims as number[], elements: [fold(content.elements)] };
    }
    context.set(0, elemType, dims, folded);
  };
}

const product: Fold = (elements) =>
  elements.some((element) => element === undefined) ? undefined : productOf(elements as SymbolicDim[]);

const sum: Fold = (elements) =>
  elements.reduce<SymbolicDim | undefined>(
    (total, element) => (total === undefined || element === undefined ? undefined : addDims(total, element)),
    0,
  );

const extreme =
  (apply: (...values: number[]) => number): Fold =>
  (elements) =>
    elements.length > 0 && elements.every((element) => typeof element === 'number')
      ? apply(...(elements as number[]))
      : undefined;

const argument: ShapeRule = (context) => {
  const shape = context.shape(0);
  if (shape === undefined) return context.set(0, DataType.int64, undefined);
  const axis = normalizeAxis(context.node.int('axis', 0), shape.length);
  const keepDims = context.node.int('keepdims', 1) !== 0;
  const dims = keepDims ? shape.map((dim, i) => (i === axis ? 1 : dim)) : shape.filter((_, i) => i !== axis);
  context.set(0, DataType.int64, dims);
};

const topK: ShapeRule = (context) => {
  const shape = context.shape(0);
  const axis = shape === undefined ? undefined : normalizeAxis(context.node.int('axis', -1), shape.length);
  const count = context.node.int('k') ?? context.content(1)?.elements[0];
  const dims = shape?.map((dim, i) => (i === axis ? context.orUnknown(count) : dim));
  context.set(0, context.elemType(0), dims);
  context.set(1, DataType.int64, dims);
};

/** The mean loss, or a loss per sample. */
const loss: ShapeRule = (context) => {
  const perSample = context.node.string('reduction', 'mean') === 'none';
  context.set(0, context.elemType(0), perSample ? context.shape(1) : []);
  if (context.outputCount > 1) context.set(1, context.elemType(0), context.shape(0));
};

export const reductionRules: Readonly<Record<string, ShapeRule>> = {
  ReduceL1: reduce(),
  ReduceL2: reduce(),
  ReduceLogSum: reduce(),
  ReduceLogSumExp: reduce(),
  ReduceMean: reduce(),
  ReduceSumSquare: reduce(),
  ReduceSum: reduce(sum),
  ReduceProd: reduce(product),
  ReduceMax: reduce(extreme(Math.max)),
  ReduceMin: reduce(extreme(Math.min)),
  ArgMax: argument,
  ArgMin: argument,
  TopK: topK,
  SoftmaxCrossEntropyLoss: loss,
  NegativeLogLikelihoodLoss: loss,
};

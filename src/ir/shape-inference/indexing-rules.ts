import { DataType } from '../../tensor/data-type.ts';
import { type Content, forEachCoordinate, pick, stridesOf } from './content.ts';
import { opaqueDim, type SymbolicDim, subtractDims } from './dim-expression.ts';
import { normalizeAxis, type ShapeRule } from './inference-context.ts';

const slice: ShapeRule = (context) => {
  const shape = context.shape(0);
  const elemType = context.elemType(0);
  if (shape === undefined) return context.set(0, elemType, undefined);
  const starts = context.node.ints('starts') ?? context.content(1)?.elements;
  const ends = context.node.ints('ends') ?? context.content(2)?.elements;
  const axes = context.node.ints('axes') ?? (context.has(3) ? context.numbers(3) : starts?.map((_, i) => i));
  const steps = context.has(4) ? context.numbers(4) : starts?.map(() => 1);
  if (starts === undefined || ends === undefined || axes === undefined || steps === undefined) {
    const dims = shape.map((dim, i) =>
      axes?.some((axis) => normalizeAxis(axis, shape.length) === i) === false ? dim : context.unknownDim(),
    );
    return context.set(0, elemType, dims);
  }
  const dims: SymbolicDim[] = [...shape];
  const ranges = shape.map((dim) => ({ start: 0, step: 1, count: dim }));
  axes.forEach((axis, i) => {
    const at = normalizeAxis(axis, shape.length);
    if (at === undefined) return;
    const dim = shape[at]!;
    if (typeof dim === 'number' && typeof starts[i] === 'number' && typeof ends[i] === 'number') {
      const range = sliceRange(dim, starts[i], ends[i], steps[i] ?? 1);
      ranges[at] = range;
      dims[at] = range.count;
    } else {
      dims[at] = context.orUnknown(symbolicSlice(dim, starts[i], ends[i], steps[i] ?? 1));
    }
  });
  const content = context.content(0);
  let part: Content | undefined;
  if (content !== undefined && dims.every((dim) => typeof dim === 'number')) {
    const strides = stridesOf(content.dims);
    const indices: number[] = [];
    forEachCoordinate(dims as number[], (coordinate) => {
      indices.push(coordinate.reduce((sum, c, i) => sum + (ranges[i]!.start + c * ranges[i]!.step) * strides[i]!, 0));
    });
    part = pick(content, dims as number[], indices);
  }
  context.set(0, elemType, dims, part);
};

/** The elements a slice of one axis takes: negative bounds count from the end, bounds outside are clamped. */
export function sliceRange(
  dim: number,
  start: number,
  end: number,
  step: number,
): { start: number; step: number; count: number } {
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  const from = start < 0 ? start + dim : start;
  const to = end < 0 ? end + dim : end;
  const first = step < 0 ? clamp(from, 0, dim - 1) : clamp(from, 0, dim);
  const last = step < 0 ? clamp(to, -1, dim - 1) : clamp(to, 0, dim);
  return { start: first, step, count: step === 0 ? 0 : Math.max(0, Math.ceil((last - first) / step)) };
}

const FAR = 2 ** 31 - 1;

function symbolicSlice(
  dim: SymbolicDim,
  start: SymbolicDim | undefined,
  end: SymbolicDim | undefined,
  step: number,
): SymbolicDim | undefined {
  if (start === undefined || end === undefined) return undefined;
  if (step === 1 && start === 0) {
    if (typeof end === 'number' && end >= FAR) return dim;
    if (subtractDims(dim, end) === 0) return dim;
  }
  if (step === -1 && start === -1 && typeof end === 'number' && end <= -FAR) return dim;
  return opaqueDim('slice', dim, start, end, step);
}

const gather: ShapeRule = (context) => {
  const data = context.shape(0);
  const indices = context.shape(1);
  const elemType = context.elemType(0);
  if (data === undefined || indices === undefined) return context.set(0, elemType, undefined);
  const axis = normalizeAxis(context.node.int('axis', 0), data.length);
  if (axis === undefined) return context.set(0, elemType, undefined);
  const dims = [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
  const content = context.content(0);
  const at = context.content(1);
  let part: Content | undefined;
  if (content !== undefined && at !== undefined && content.dims.length === 1) {
    const length = content.dims[0]!;
    const elements = at.elements.map((index) =>
      typeof index === 'number' ? content.elements[index < 0 ? index + length : index] : undefined,
    );
    part = { dims: at.dims, elements };
  }
  context.set(0, elemType, dims, part);
};

const gatherElements: ShapeRule = (context) => context.set(0, context.elemType(0), context.shape(1));

const gatherNd: ShapeRule = (context) => {
  const data = context.shape(0);
  const indices = context.shape(1);
  const depth = indices?.at(-1);
  const batchDims = context.node.int('batch_dims', 0);
  const known = data !== undefined && indices !== undefined && typeof depth === 'number';
  context.set(0, context.elemType(0), known ? [...indices.slice(0, -1), ...data.slice(batchDims + depth)] : undefined);
};

const scatterNd: ShapeRule = (context) => {
  const data = context.content(0);
  const indices = context.numbers(1);
  const updates = context.content(2);
  let content: Content | undefined;
  if (
    data?.dims.length === 1 &&
    indices !== undefined &&
    updates?.dims.length === 1 &&
    context.shape(1)?.at(-1) === 1 &&
    !context.node.attributes.has('reduction')
  ) {
    const elements = [...data.elements];
    indices.forEach((index, i) => {
      elements[index < 0 ? index + elements.length : index] = updates.elements[i];
    });
    content = { dims: data.dims, elements };
  }
  context.set(0, context.elemType(0), context.shape(0), content);
};

const oneHot: ShapeRule = (context) => {
  const indices = context.shape(0);
  const depth = context.content(1)?.elements[0];
  if (indices === undefined) return context.set(0, context.elemType(2), undefined);
  const axis = normalizeAxis(context.node.int('axis', -1), indices.length + 1) ?? indices.length;
  const dims = [...indices.slice(0, axis), context.orUnknown(depth), ...indices.slice(axis)];
  context.set(0, context.elemType(2), dims);
};

const nonZero: ShapeRule = (context) => {
  const rank = context.shape(0)?.length;
  context.set(0, DataType.int64, [rank ?? context.unknownDim(), context.unknownDim()]);
};

const compress: ShapeRule = (context) => {
  const shape = context.shape(0);
  const axis = context.node.int('axis');
  if (axis === undefined) return context.set(0, context.elemType(0), context.unknownShape(1));
  const at = shape === undefined ? undefined : normalizeAxis(axis, shape.length);
  context.set(
    0,
    context.elemType(0),
    shape?.map((dim, i) => (i === at ? context.unknownDim() : dim)),
  );
};

const unique: ShapeRule = (context) => {
  const shape = context.shape(0);
  const axis = context.node.int('axis');
  const count = context.unknownDim();
  const at = axis === undefined || shape === undefined ? undefined : normalizeAxis(axis, shape.length);
  const dims = axis === undefined ? [count] : shape?.map((dim, i) => (i === at ? count : dim));
  context.set(0, context.elemType(0), dims);
  context.set(1, DataType.int64, [count]);
  context.set(2, DataType.int64, context.unknownShape(1));
  context.set(3, DataType.int64, [count]);
};

export const indexingRules: Readonly<Record<string, ShapeRule>> = {
  Slice: slice,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterND: scatterNd,
  TensorScatter: (context) => context.set(0, context.elemType(0), context.shape(0)),
  OneHot: oneHot,
  NonZero: nonZero,
  Compress: compress,
  Unique: unique,
};

import { DataType } from '../../tensor/data-type.ts';
import { type Content, elementCountOf, forEachCoordinate, MAX_CONTENT_ELEMENTS, pick, stridesOf } from './content.ts';
import { addDims, divideDims, productOf, type SymbolicDim, type SymbolicShape } from './dim-expression.ts';
import { type InferenceContext, normalizeAxis, type ShapeRule } from './inference-context.ts';

function setContent(context: InferenceContext, elemType: number, content: Content): void {
  context.set(0, elemType, content.dims, content);
}

const shapeOf: ShapeRule = (context) => {
  const shape = context.shape(0);
  if (shape === undefined) return context.set(0, DataType.int64, context.unknownShape(1));
  const rank = shape.length;
  const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + rank : at, 0), rank);
  const elements = shape.slice(clamp(context.node.int('start', 0)), clamp(context.node.int('end', rank)));
  setContent(context, DataType.int64, { dims: [elements.length], elements });
};

const size: ShapeRule = (context) => {
  const shape = context.shape(0);
  setContent(context, DataType.int64, { dims: [], elements: [shape === undefined ? undefined : productOf(shape)] });
};

const reshape: ShapeRule = (context) => {
  const elemType = context.elemType(0);
  const input = context.shape(0);
  const attribute = context.node.ints('shape');
  const requested = attribute ?? context.content(1)?.elements;
  if (requested === undefined) {
    const rank = context.shape(1)?.[0];
    return context.set(0, elemType, typeof rank === 'number' && rank <= 64 ? context.unknownShape(rank) : undefined);
  }
  const allowZero = context.node.int('allowzero', 0) !== 0;
  const dims: (SymbolicDim | undefined)[] = requested.map((dim, i) => (dim === 0 && !allowZero ? input?.[i] : dim));
  const open = dims.indexOf(-1);
  const rest = dims.filter((_, i) => i !== open);
  if (input !== undefined && open >= 0) {
    dims[open] = remainingDim(input, rest);
  } else if (input !== undefined && dims.filter((dim) => dim === undefined).length === 1) {
    // One element of the shape is not known, but the number of elements is; unless it is -1 it can only be that.
    dims[dims.indexOf(undefined)] = remainingDim(
      input,
      dims.filter((dim) => dim !== undefined),
    );
  } else if (open >= 0) {
    dims[open] = undefined;
  }
  const shape = dims.map((dim) => context.orUnknown(dim));
  const content = context.content(0);
  const fixed = shape.every((dim) => typeof dim === 'number') ? (shape as number[]) : undefined;
  const keeps = content !== undefined && fixed !== undefined && elementCountOf(fixed) === content.elements.length;
  context.set(0, elemType, shape, keeps ? { dims: fixed, elements: content.elements } : undefined);
};

/** The dimension that makes the element count come out: the input's dims divided by the other dims. */
function remainingDim(input: SymbolicShape, others: readonly (SymbolicDim | undefined)[]): SymbolicDim | undefined {
  const pending = [...input];
  const divisors: SymbolicDim[] = [];
  for (const other of others) {
    if (other === undefined) return undefined;
    divisors.push(other);
  }
  const total = productOf(pending);
  const divisor = productOf(divisors);
  if (total === undefined || divisor === undefined || divisor === 0) return undefined;
  return divideDims(total, divisor);
}

const flatten: ShapeRule = (context) => {
  const shape = context.shape(0);
  if (shape === undefined) return context.set(0, context.elemType(0), context.unknownShape(2));
  const axis = context.node.int('axis', 1);
  const at = axis < 0 ? axis + shape.length : axis;
  const dims = [productOf(shape.slice(0, at)), productOf(shape.slice(at))].map((dim) => context.orUnknown(dim));
  context.set(0, context.elemType(0), dims);
};

const transpose: ShapeRule = (context) => {
  const shape = context.shape(0);
  if (shape === undefined) {
    const rank = context.node.ints('perm')?.length;
    return context.set(0, context.elemType(0), rank === undefined ? undefined : context.unknownShape(rank));
  }
  const perm = context.node.ints('perm') ?? shape.map((_, i) => shape.length - 1 - i);
  if (perm.length !== shape.length || perm.some((axis) => shape[axis] === undefined)) return;
  const dims = perm.map((axis) => shape[axis]!);
  const content = context.content(0);
  let moved: Content | undefined;
  if (content !== undefined) {
    const strides = stridesOf(content.dims);
    const indices: number[] = [];
    forEachCoordinate(dims as number[], (coordinate) => {
      indices.push(coordinate.reduce((sum, c, i) => sum + c * strides[perm[i]!]!, 0));
    });
    moved = pick(content, dims as number[], indices);
  }
  context.set(0, context.elemType(0), dims, moved);
};

const squeeze: ShapeRule = (context) => {
  const shape = context.shape(0);
  if (shape === undefined) return context.set(0, context.elemType(0), undefined);
  const given = context.node.attributes.has('axes') || context.has(1);
  const axes = given ? context.listFrom('axes', 1) : undefined;
  if (given && axes === undefined) {
    const count = context.shape(1)?.[0];
    const rank = typeof count === 'number' ? shape.length - count : -1;
    return context.set(0, context.elemType(0), rank >= 0 ? context.unknownShape(rank) : undefined);
  }
  if (!given && shape.some((dim) => typeof dim !== 'number')) return context.set(0, context.elemType(0), undefined);
  const removed = new Set(axes?.map((axis) => normalizeAxis(axis, shape.length)));
  const dims = shape.filter((dim, i) => (given ? !removed.has(i) : dim !== 1));
  context.set(0, context.elemType(0), dims, sameElements(context.content(0), dims));
};

const unsqueeze: ShapeRule = (context) => {
  const shape = context.shape(0);
  const axes = context.listFrom('axes', 1);
  if (shape === undefined || axes === undefined) {
    const count = axes?.length ?? context.shape(1)?.[0];
    const known = shape !== undefined && typeof count === 'number';
    return context.set(0, context.elemType(0), known ? context.unknownShape(shape.length + count) : undefined);
  }
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => normalizeAxis(axis, rank)));
  const rest = [...shape];
  const dims = Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : (rest.shift() ?? 1)));
  context.set(0, context.elemType(0), dims, sameElements(context.content(0), dims));
};

function sameElements(content: Content | undefined, dims: SymbolicShape): Content | undefined {
  return content === undefined ? undefined : { dims: dims as number[], elements: content.elements };
}

const concat: ShapeRule = (context) => {
  const indices = context.node.inputs.map((_, i) => i);
  const elemType = indices.map((i) => context.elemType(i)).find((type) => type !== 0) ?? 0;
  const shapes = indices.map((i) => context.shape(i));
  const first = shapes.find((shape) => shape !== undefined);
  if (first === undefined) return context.set(0, elemType, undefined);
  const axis = normalizeAxis(context.node.int('axis', 1), first.length);
  if (axis === undefined) return context.set(0, elemType, undefined);
  const dims = first.map((_, i): SymbolicDim => {
    if (i === axis) {
      let sum: SymbolicDim | undefined = 0;
      for (const shape of shapes) {
        const dim: SymbolicDim | undefined = shape?.[i];
        sum = sum === undefined || dim === undefined ? undefined : addDims(sum, dim);
      }
      return context.orUnknown(sum);
    }
    const known = shapes.map((shape) => shape?.[i]).filter((dim) => dim !== undefined);
    return known.find((dim) => typeof dim === 'number') ?? known[0] ?? context.unknownDim();
  });
  let content: Content | undefined;
  const contents = indices.map((i) => context.content(i));
  if (
    dims.length === 1 &&
    shapes.every((shape) => typeof shape?.[0] === 'number') &&
    (dims[0] as number) <= MAX_CONTENT_ELEMENTS
  ) {
    const elements = indices.flatMap(
      (i) => contents[i]?.elements ?? new Array<undefined>(shapes[i]![0] as number).fill(undefined),
    );
    content = { dims: [elements.length], elements };
  }
  context.set(0, elemType, dims, content);
};

const split: ShapeRule = (context) => {
  const shape = context.shape(0);
  const count = context.outputCount;
  const elemType = context.elemType(0);
  const axis = shape === undefined ? undefined : normalizeAxis(context.node.int('axis', 0), shape.length);
  if (shape === undefined || axis === undefined) {
    for (let i = 0; i < count; i++) context.set(i, elemType, undefined);
    return;
  }
  const given = context.node.attributes.has('split') || context.has(1);
  const sizes = given ? context.listFrom('split', 1) : evenParts(shape[axis]!, context.node.int('num_outputs', count));
  const content = context.content(0);
  let start = 0;
  for (let i = 0; i < count; i++) {
    const size = sizes?.[i];
    const dims = shape.map((dim, j) => (j === axis ? context.orUnknown(size) : dim));
    const part =
      content !== undefined && shape.length === 1 && typeof size === 'number'
        ? { dims: [size], elements: content.elements.slice(start, start + size) }
        : undefined;
    if (typeof size === 'number') start += size;
    context.set(i, elemType, dims, part);
  }
};

function evenParts(dim: SymbolicDim, count: number): (SymbolicDim | undefined)[] {
  if (typeof dim === 'number') {
    const part = Math.ceil(dim / count);
    return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, dim - i * part)));
  }
  return new Array<SymbolicDim | undefined>(count).fill(divideDims(dim, count));
}

export const shapeRules: Readonly<Record<string, ShapeRule>> = {
  Shape: shapeOf,
  Size: size,
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Split: split,
};

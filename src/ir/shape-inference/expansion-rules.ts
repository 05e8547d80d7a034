import { DataType } from '../../tensor/data-type.ts';
import { broadcastShapes, mapContents } from './broadcast.ts';
import { type Content, elementCountOf, MAX_CONTENT_ELEMENTS, numbersOf } from './content.ts';
import { addDims, divideDims, multiplyDims, type SymbolicDim, subtractDims } from './dim-expression.ts';
import { normalizeAxis, type ShapeRule } from './inference-context.ts';

const expand: ShapeRule = (context) => {
  const requested = context.content(1);
  const shape = context.shape(0);
  if (requested === undefined) {
    const rank = context.shape(1)?.[0];
    const known = shape !== undefined && typeof rank === 'number' && rank <= 64;
    return context.set(0, context.elemType(0), known ? context.unknownShape(Math.max(rank, shape.length)) : undefined);
  }
  const dims = broadcastShapes([shape, requested.elements.map((dim) => context.orUnknown(dim))]);
  const content = context.content(0);
  let grown: Content | undefined;
  if (
    content !== undefined &&
    dims?.every((dim) => typeof dim === 'number') &&
    elementCountOf(dims as number[]) <= MAX_CONTENT_ELEMENTS
  ) {
    const zeros = { dims: dims as number[], elements: new Array<number>(elementCountOf(dims as number[])).fill(0) };
    grown = mapContents([content, zeros], ([a]) => a);
  }
  context.set(0, context.elemType(0), dims, grown);
};

const tile: ShapeRule = (context) => {
  const shape = context.shape(0);
  const repeats = context.content(1)?.elements;
  if (shape === undefined || context.inputCount > 2) return context.set(0, context.elemType(0), undefined);
  const dims = shape.map((dim, i) => {
    const repeat = repeats?.[i];
    return context.orUnknown(repeat === undefined ? undefined : multiplyDims(dim, repeat));
  });
  context.set(0, context.elemType(0), dims);
};

const pad: ShapeRule = (context) => {
  const shape = context.shape(0);
  const elemType = context.elemType(0);
  const pads = context.node.ints('pads') ?? context.node.ints('paddings') ?? context.content(1)?.elements;
  if (shape === undefined) return context.set(0, elemType, undefined);
  const axes = context.has(3) ? context.numbers(3) : shape.map((_, i) => i);
  if (pads === undefined || axes === undefined) return context.set(0, elemType, context.unknownShape(shape.length));
  const dims: SymbolicDim[] = [...shape];
  axes.forEach((axis, i) => {
    const at = normalizeAxis(axis, shape.length);
    if (at === undefined) return;
    const before = pads[i];
    const after = pads[i + axes.length];
    const sum = before === undefined || after === undefined ? undefined : addDims(before, after);
    dims[at] = context.orUnknown(sum === undefined ? undefined : addDims(shape[at]!, sum));
  });
  context.set(0, elemType, dims);
};

const constantOfShape: ShapeRule = (context) => {
  const value = context.node.tensor('value');
  const elemType = value?.dataType ?? DataType.float32;
  const dims = context.content(0)?.elements;
  if (dims === undefined) {
    const rank = context.shape(0)?.[0];
    return context.set(0, elemType, typeof rank === 'number' && rank <= 64 ? context.unknownShape(rank) : undefined);
  }
  const fixed = numbersOf(context.content(0));
  let content: Content | undefined;
  if (fixed !== undefined && elementCountOf(fixed) <= MAX_CONTENT_ELEMENTS) {
    const element =
      elemType === DataType.int64 ||
      elemType === DataType.int32 ||
      elemType === DataType.float32 ||
      elemType === DataType.bool
        ? (value?.toNumbers()[0] ?? 0)
        : undefined;
    content = { dims: fixed, elements: new Array<number | undefined>(elementCountOf(fixed)).fill(element) };
  }
  context.set(
    0,
    elemType,
    dims.map((dim) => context.orUnknown(dim)),
    content,
  );
};

const range: ShapeRule = (context) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => context.content(i)?.elements[0]);
  const elemType = context.elemType(0);
  if (typeof start === 'number' && typeof limit === 'number' && typeof delta === 'number' && delta !== 0) {
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    const small = count <= MAX_CONTENT_ELEMENTS;
    const elements = small ? Array.from({ length: count }, (_, i) => start + i * delta) : undefined;
    return context.set(0, elemType, [count], elements && { dims: [count], elements });
  }
  const count = start !== undefined && limit !== undefined && delta === 1 ? subtractDims(limit, start) : undefined;
  const isDim = start === 0 && count !== undefined;
  context.set(0, elemType, [isDim ? count : context.unknownDim()]);
};

const eyeLike: ShapeRule = (context) =>
  context.set(0, context.node.int('dtype') ?? context.elemType(0), context.shape(0));

function spaceToDepth(toDepth: boolean): ShapeRule {
  return (context) => {
    const shape = context.shape(0);
    const block = context.node.int('blocksize', 1);
    if (shape?.length !== 4) return context.set(0, context.elemType(0), undefined);
    const scale = (dim: SymbolicDim, factor: number, up: boolean) =>
      up ? multiplyDims(dim, factor) : divideDims(dim, factor);
    const dims = [
      shape[0]!,
      scale(shape[1]!, block * block, toDepth),
      scale(shape[2]!, block, !toDepth),
      scale(shape[3]!, block, !toDepth),
    ];
    context.set(
      0,
      context.elemType(0),
      dims.map((dim) => context.orUnknown(dim)),
    );
  };
}

/** Operators that repeat, surround, fill or regroup elements. */
export const expansionRules: Readonly<Record<string, ShapeRule>> = {
  Expand: expand,
  Tile: tile,
  Pad: pad,
  ConstantOfShape: constantOfShape,
  Range: range,
  EyeLike: eyeLike,
  SpaceToDepth: spaceToDepth(true),
  DepthToSpace: spaceToDepth(false),
};

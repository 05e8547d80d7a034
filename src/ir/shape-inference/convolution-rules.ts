import { DataType } from '../../tensor/data-type.ts';
import { addDims, multiplyDims, opaqueDim, type SymbolicDim, type SymbolicShape } from './dim-expression.ts';
import type { InferenceContext, ShapeRule } from './inference-context.ts';

/** The window an operator slides over each spatial axis. */
interface Window {
  readonly kernel: readonly SymbolicDim[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly autoPad: string;
  readonly ceil: boolean;
}

function windowOf(context: InferenceContext, kernel: readonly SymbolicDim[]): Window {
  const rank = kernel.length;
  const { node } = context;
  return {
    kernel,
    strides: node.ints('strides') ?? new Array<number>(rank).fill(1),
    dilations: node.ints('dilations') ?? new Array<number>(rank).fill(1),
    pads: node.ints('pads') ?? new Array<number>(2 * rank).fill(0),
    autoPad: node.string('auto_pad', 'NOTSET'),
    ceil: node.int('ceil_mode', 0) !== 0,
  };
}

/** Output size of one axis; an even stride over a symbolic size gives a symbol named by the computation. */
function slidingDim(input: SymbolicDim, window: Window, axis: number): SymbolicDim | undefined {
  const stride = window.strides[axis] ?? 1;
  const kernel = window.kernel[axis];
  if (stride < 1) return undefined;
  if (window.autoPad === 'SAME_UPPER' || window.autoPad === 'SAME_LOWER') {
    if (stride === 1) return input;
    return typeof input === 'number' ? Math.ceil(input / stride) : opaqueDim('ceil-divide', input, stride);
  }
  if (typeof kernel !== 'number') return undefined;
  const rank = window.kernel.length;
  const span = (kernel - 1) * (window.dilations[axis] ?? 1) + 1;
  const padding = window.autoPad === 'VALID' ? 0 : (window.pads[axis] ?? 0) + (window.pads[axis + rank] ?? 0);
  const free = addDims(input, padding - span);
  if (free === undefined) return undefined;
  if (typeof free !== 'number')
    return stride === 1 ? addDims(free, 1) : opaqueDim(window.ceil ? 'ceil-steps' : 'steps', free, stride);
  let count = Math.max(0, (window.ceil ? Math.ceil(free / stride) : Math.floor(free / stride)) + 1);
  // A window that would start in the padding behind the data does not count.
  if (window.ceil && typeof input === 'number' && (count - 1) * stride >= input + (window.pads[axis] ?? 0)) count--;
  return count;
}

function slide(context: InferenceContext, input: SymbolicShape, window: Window): SymbolicDim[] {
  return input.slice(2).map((dim, axis) => context.orUnknown(slidingDim(dim, window, axis)));
}

function convolution(weightInput: number, outputElemType: (context: InferenceContext) => number): ShapeRule {
  return (context) => {
    const input = context.shape(0);
    const weight = context.shape(weightInput);
    const elemType = outputElemType(context);
    const rank = input?.length ?? weight?.length;
    if (input === undefined || rank === undefined) {
      return context.set(0, elemType, rank === undefined ? undefined : context.unknownShape(rank));
    }
    const kernel =
      context.node.ints('kernel_shape') ?? weight?.slice(2) ?? input.slice(2).map(() => context.unknownDim());
    const spatial = slide(context, input, windowOf(context, kernel));
    context.set(0, elemType, [input[0]!, context.orUnknown(weight?.[0]), ...spatial]);
  };
}

const convTranspose: ShapeRule = (context) => {
  const input = context.shape(0);
  const weight = context.shape(1);
  const elemType = context.elemType(0);
  if (input === undefined) return context.set(0, elemType, undefined);
  const group = context.node.int('group', 1);
  const window = windowOf(context, context.node.ints('kernel_shape') ?? weight?.slice(2) ?? []);
  const outputPadding = context.node.ints('output_padding') ?? [];
  const outputShape = context.node.ints('output_shape');
  const rank = input.length - 2;
  const spatial = input.slice(2).map((dim, axis) => {
    if (outputShape !== undefined) return context.orUnknown(outputShape[outputShape.length - rank + axis]);
    const stride = window.strides[axis] ?? 1;
    if (window.autoPad.startsWith('SAME')) return context.orUnknown(multiplyDims(dim, stride));
    const kernel = window.kernel[axis];
    if (typeof kernel !== 'number') return context.unknownDim();
    const span = (kernel - 1) * (window.dilations[axis] ?? 1) + 1;
    const padding = window.autoPad === 'VALID' ? 0 : (window.pads[axis] ?? 0) + (window.pads[axis + rank] ?? 0);
    const steps = multiplyDims(dim, stride);
    return context.orUnknown(
      steps === undefined ? undefined : addDims(steps, span - stride - padding + (outputPadding[axis] ?? 0)),
    );
  });
  const channels = weight?.[1] === undefined ? undefined : multiplyDims(weight[1], group);
  context.set(0, elemType, [input[0]!, context.orUnknown(channels), ...spatial]);
};

const pool: ShapeRule = (context) => {
  const input = context.shape(0);
  const kernel = context.node.ints('kernel_shape');
  const elemType = context.elemType(0);
  const dims =
    input === undefined || kernel === undefined
      ? undefined
      : [...input.slice(0, 2), ...slide(context, input, windowOf(context, kernel))];
  context.set(0, elemType, dims);
  if (context.outputCount > 1) context.set(1, DataType.int64, dims);
};

const globalPool: ShapeRule = (context) => {
  context.set(
    0,
    context.elemType(0),
    context.shape(0)?.map((dim, axis) => (axis < 2 ? dim : 1)),
  );
};

const maxRoiPool: ShapeRule = (context) => {
  const pooled = context.node.ints('pooled_shape');
  const input = context.shape(0);
  const rois = context.shape(1);
  const known = pooled !== undefined && input !== undefined && rois !== undefined;
  context.set(0, context.elemType(0), known ? [rois[0]!, input[1]!, ...pooled] : undefined);
};

const roiAlign: ShapeRule = (context) => {
  const input = context.shape(0);
  const rois = context.shape(1);
  const height = context.node.int('output_height', 1);
  const width = context.node.int('output_width', 1);
  const known = input !== undefined && rois !== undefined;
  context.set(0, context.elemType(0), known ? [rois[0]!, input[1]!, height, width] : undefined);
};

/** Resize, Upsample: from sizes, or from scales rounded down. */
function resize(scalesInput: number, sizesInput: number): ShapeRule {
  return (context) => {
    const input = context.shape(0);
    const elemType = context.elemType(0);
    if (input === undefined) return context.set(0, elemType, undefined);
    const axes = (context.node.ints('axes') ?? input.map((_, i) => i)).map((axis) =>
      axis < 0 ? axis + input.length : axis,
    );
    const attributeScales = context.node.attribute('scales', 'floats')?.value;
    const scales =
      attributeScales ?? (context.shape(scalesInput)?.[0] === 0 ? undefined : context.content(scalesInput)?.elements);
    const sizes = context.content(sizesInput)?.elements;
    const policy = context.node.string('keep_aspect_ratio_policy', 'stretch');
    if (sizes === undefined && scales === undefined)
      return context.set(0, elemType, context.unknownShape(input.length));
    const roi = context.node.string('coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';
    const dims: SymbolicDim[] = [...input];
    const sizeScale = sizes === undefined || policy === 'stretch' ? undefined : commonScale(input, axes, sizes, policy);
    axes.forEach((axis, i) => {
      const dim = input[axis];
      if (dim === undefined) return;
      if (sizes !== undefined) {
        if (policy === 'stretch') dims[axis] = context.orUnknown(sizes[i]);
        else
          dims[axis] =
            sizeScale !== undefined && typeof dim === 'number'
              ? Math.floor(sizeScale * dim + 0.5)
              : context.unknownDim();
        return;
      }
      const scale = scales?.[i];
      if (typeof scale !== 'number' || (roi && scale !== 1)) dims[axis] = context.unknownDim();
      else if (typeof dim === 'number') dims[axis] = Math.floor(dim * scale);
      else
        dims[axis] = context.orUnknown(
          Number.isInteger(scale) ? multiplyDims(dim, scale) : opaqueDim('scale', dim, scale),
        );
    });
    context.set(0, elemType, dims);
  };
}

function commonScale(
  input: SymbolicShape,
  axes: readonly number[],
  sizes: readonly (SymbolicDim | undefined)[],
  policy: string,
): number | undefined {
  const scales = axes.map((axis, i) => {
    const [size, dim] = [sizes[i], input[axis]];
    return typeof size === 'number' && typeof dim === 'number' ? size / dim : Number.NaN;
  });
  const scale = policy === 'not_larger' ? Math.min(...scales) : Math.max(...scales);
  return Number.isFinite(scale) ? scale : undefined;
}

const gridSample: ShapeRule = (context) => {
  const input = context.shape(0);
  const grid = context.shape(1);
  const known = input !== undefined && grid !== undefined;
  context.set(0, context.elemType(0), known ? [input[0]!, input[1]!, ...grid.slice(1, -1)] : undefined);
};

const affineGrid: ShapeRule = (context) => {
  const size = context.content(1)?.elements;
  const dims = size?.map((dim) => context.orUnknown(dim));
  context.set(0, context.elemType(0), dims === undefined ? undefined : [dims[0]!, ...dims.slice(2), dims.length - 2]);
};

const col2Im: ShapeRule = (context) => {
  const input = context.shape(0);
  const image = context.content(1)?.elements;
  const block = context.numbers(2);
  const channels = input?.[1];
  if (input === undefined || image === undefined || block === undefined || typeof channels !== 'number') return;
  const blockSize = block.reduce((product, dim) => product * dim, 1);
  context.set(0, context.elemType(0), [input[0]!, channels / blockSize, ...image.map((dim) => context.orUnknown(dim))]);
};

const deformConv: ShapeRule = convolution(1, (context) => context.elemType(0));

const maxUnpool: ShapeRule = (context) => {
  const input = context.shape(0);
  if (context.has(2)) {
    const size = context.content(2)?.elements;
    return context.set(
      0,
      context.elemType(0),
      size?.map((dim) => context.orUnknown(dim)),
    );
  }
  const kernel = context.node.ints('kernel_shape');
  if (input === undefined || kernel === undefined) return context.set(0, context.elemType(0), undefined);
  const window = windowOf(context, kernel);
  const rank = kernel.length;
  const spatial = input.slice(2).map((dim, axis) => {
    const steps = multiplyDims(dim, window.strides[axis] ?? 1);
    const rest =
      kernel[axis]! - (window.strides[axis] ?? 1) - (window.pads[axis] ?? 0) - (window.pads[axis + rank] ?? 0);
    return context.orUnknown(steps === undefined ? undefined : addDims(steps, rest));
  });
  context.set(0, context.elemType(0), [...input.slice(0, 2), ...spatial]);
};

/** BatchNormalization: the statistics it may put out have the shape of those it reads. */
const batchNormalization: ShapeRule = (context) => {
  context.set(0, context.elemType(0), context.shape(0));
  for (let i = 1; i < context.outputCount; i++) context.set(i, context.elemType(3), context.shape(3));
};

export const convolutionRules: Readonly<Record<string, ShapeRule>> = {
  Conv: convolution(1, (context) => context.elemType(0)),
  ConvInteger: convolution(1, () => DataType.int32),
  QLinearConv: convolution(3, (context) => context.elemType(7)),
  DeformConv: deformConv,
  ConvTranspose: convTranspose,
  AveragePool: pool,
  MaxPool: pool,
  LpPool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  GlobalLpPool: globalPool,
  MaxRoiPool: maxRoiPool,
  RoiAlign: roiAlign,
  Resize: (context) => (context.opset >= 11 || context.inputCount > 2 ? resize(2, 3) : resize(1, 99))(context),
  Upsample: resize(1, 99),
  GridSample: gridSample,
  AffineGrid: affineGrid,
  Col2Im: col2Im,
  MaxUnpool: maxUnpool,
  BatchNormalization: batchNormalization,
};

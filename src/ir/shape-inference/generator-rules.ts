import { DataType } from '../../tensor/data-type.ts';
import { contentOf } from './content.ts';
import type { SymbolicDim } from './dim-expression.ts';
import type { InferenceContext, ShapeRule } from './inference-context.ts';

const constant: ShapeRule = (context) => {
  const { node } = context;
  const tensor = node.tensor('value');
  if (tensor !== undefined) return context.set(0, tensor.dataType, tensor.dims, contentOf(tensor));
  const scalarInt = node.int('value_int');
  if (scalarInt !== undefined) return context.set(0, DataType.int64, [], { dims: [], elements: [scalarInt] });
  const ints = node.ints('value_ints');
  if (ints !== undefined) return context.set(0, DataType.int64, [ints.length], { dims: [ints.length], elements: ints });
  const scalarFloat = node.float('value_float');
  if (scalarFloat !== undefined) return context.set(0, DataType.float32, [], { dims: [], elements: [scalarFloat] });
  const floats = node.attribute('value_floats', 'floats')?.value;
  if (floats !== undefined) {
    return context.set(0, DataType.float32, [floats.length], { dims: [floats.length], elements: floats });
  }
  if (node.attribute('value_string', 'string') !== undefined) return context.set(0, DataType.string, []);
  const strings = node.attribute('value_strings', 'strings')?.value;
  if (strings !== undefined) context.set(0, DataType.string, [strings.length]);
};

const random: ShapeRule = (context) =>
  context.set(0, context.node.int('dtype', DataType.float32), context.node.ints('shape') ?? []);

const randomLike: ShapeRule = (context) =>
  context.set(0, context.node.int('dtype') ?? context.elemType(0), context.shape(0));

const multinomial: ShapeRule = (context) => {
  const batch = context.shape(0)?.[0];
  const sampleSize = context.node.int('sample_size', 1);
  context.set(0, context.node.int('dtype', DataType.int32), [context.orUnknown(batch), sampleSize]);
};

const dropout: ShapeRule = (context) => {
  context.set(0, context.elemType(0), context.shape(0));
  // Before operator set 10 the mask had the data's type.
  const maskType = context.opset >= 10 ? DataType.bool : context.elemType(0);
  if (context.outputCount > 1) context.set(1, maskType, context.shape(0));
};

const windowFunction: ShapeRule = (context) => {
  const size = context.content(0)?.elements[0];
  context.set(0, context.node.int('output_datatype', DataType.float32), [context.orUnknown(size)]);
};

const melWeightMatrix: ShapeRule = (context) => {
  const bins = context.numbers(0)?.[0];
  const length = context.numbers(1)?.[0];
  const rows = length === undefined ? undefined : Math.floor(length / 2) + 1;
  context.set(0, context.node.int('output_datatype', DataType.float32), [
    context.orUnknown(rows),
    context.orUnknown(bins),
  ]);
};

const dft: ShapeRule = (context) => {
  const shape = context.shape(0);
  if (shape === undefined) return context.set(0, context.elemType(0), undefined);
  const axisInput = context.numbers(2)?.[0];
  if (context.has(2) && axisInput === undefined)
    return context.set(0, context.elemType(0), context.unknownShape(shape.length));
  const axis = context.node.int('axis') ?? axisInput ?? (context.opset >= 20 ? -2 : 1);
  const at = axis < 0 ? axis + shape.length : axis;
  const length = context.content(1)?.elements[0] ?? shape[at];
  const inverse = context.node.int('inverse', 0) !== 0;
  const onesided = context.node.int('onesided', 0) !== 0;
  const dims = [...shape];
  if (context.has(1) && context.content(1) === undefined) dims[at] = context.unknownDim();
  else if (onesided && !inverse)
    dims[at] = typeof length === 'number' ? Math.floor(length / 2) + 1 : context.unknownDim();
  else if (onesided) dims[at] = context.has(1) ? context.orUnknown(length) : context.unknownDim();
  else dims[at] = context.orUnknown(length);
  dims[dims.length - 1] = onesided && inverse ? 1 : 2;
  context.set(0, context.elemType(0), dims);
};

const stft: ShapeRule = (context) => {
  const signal = context.shape(0);
  const step = context.numbers(1)?.[0];
  const window = context.shape(2)?.[0];
  const frame = context.has(3) ? context.numbers(3)?.[0] : typeof window === 'number' ? window : undefined;
  const onesided = context.node.int('onesided', 1) !== 0;
  if (signal === undefined) return context.set(0, context.elemType(0), context.unknownShape(4));
  const length = signal[1];
  const known = typeof length === 'number' && step !== undefined && frame !== undefined;
  const frames = known ? Math.floor((length - frame) / step) + 1 : undefined;
  const bins = frame === undefined ? undefined : onesided ? Math.floor(frame / 2) + 1 : frame;
  context.set(0, context.elemType(0), [signal[0]!, context.orUnknown(frames), context.orUnknown(bins), 2]);
};

const nonMaxSuppression: ShapeRule = (context) => context.set(0, DataType.int64, [context.unknownDim(), 3]);

const quantize: ShapeRule = (context) => {
  const declared = context.node.int('output_dtype', 0);
  const elemType = context.elemType(2) || declared || (context.has(2) ? 0 : DataType.uint8);
  context.set(0, elemType, context.shape(0));
};

const dequantize: ShapeRule = (context) => {
  const declared = context.node.int('output_dtype', 0);
  context.set(0, declared || context.elemType(1) || DataType.float32, context.shape(0));
};

const dynamicQuantize: ShapeRule = (context) => {
  context.set(0, DataType.uint8, context.shape(0));
  context.set(1, DataType.float32, []);
  context.set(2, DataType.uint8, []);
};

const stringNormalizer: ShapeRule = (context) => {
  context.set(0, DataType.string, context.shape(0)?.length === 1 ? context.unknownShape(1) : undefined);
};

const imageDecoder: ShapeRule = (context) => context.set(0, DataType.uint8, context.unknownShape(3));

const sequenceLength: ShapeRule = (context) => context.set(0, DataType.int64, []);

const sequenceElement: ShapeRule = (context) =>
  context.setType(0, { elemType: sequenceElemType(context), shape: undefined });

function sequenceElemType(context: InferenceContext): number {
  const type = context.type(0)?.other;
  return type?.kind === 'sequence' && type.elementType?.kind === 'tensor' ? type.elementType.elemType : 0;
}

/** CenterCropPad: the axes asked for take the sizes asked for. */
const centerCropPad: ShapeRule = (context) => {
  const shape = context.shape(0);
  const sizes = context.content(1)?.elements;
  if (shape === undefined) return context.set(0, context.elemType(0), undefined);
  const axes = context.node.ints('axes') ?? shape.map((_, i) => i);
  const dims: SymbolicDim[] = [...shape];
  axes.forEach((axis, i) => {
    dims[axis < 0 ? axis + shape.length : axis] = context.orUnknown(sizes?.[i]);
  });
  context.set(0, context.elemType(0), dims);
};

export const generatorRules: Readonly<Record<string, ShapeRule>> = {
  Constant: constant,
  RandomNormal: random,
  RandomUniform: random,
  RandomNormalLike: randomLike,
  RandomUniformLike: randomLike,
  Bernoulli: randomLike,
  Multinomial: multinomial,
  Dropout: dropout,
  HannWindow: windowFunction,
  HammingWindow: windowFunction,
  BlackmanWindow: windowFunction,
  MelWeightMatrix: melWeightMatrix,
  DFT: dft,
  STFT: stft,
  NonMaxSuppression: nonMaxSuppression,
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamicQuantize,
  StringNormalizer: stringNormalizer,
  StringConcat: (context) => context.set(0, DataType.string, undefined),
  RegexFullMatch: (context) => context.set(0, DataType.bool, context.shape(0)),
  ImageDecoder: imageDecoder,
  SequenceLength: sequenceLength,
  SequenceAt: sequenceElement,
  ConcatFromSequence: sequenceElement,
  CenterCropPad: centerCropPad,
};

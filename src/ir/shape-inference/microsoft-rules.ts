import { DataType } from '../../tensor/data-type.ts';
import { broadcastShapes } from './broadcast.ts';
import { convolutionRules } from './convolution-rules.ts';
import { divideDims, multiplyDims } from './dim-expression.ts';
import { sameAsFirst } from './elementwise-rules.ts';
import { generatorRules } from './generator-rules.ts';
import type { ShapeRule } from './inference-context.ts';
import { matMulShape, matrixRules } from './matrix-rules.ts';

/** Binary operators over quantized operands: A, scale, zero point, B, scale, zero point, C scale, C zero point. */
const quantizedBinary: ShapeRule = (context) =>
  context.set(0, context.elemType(7) || context.elemType(0), broadcastShapes([context.shape(0), context.shape(3)]));

const fusedMatMul: ShapeRule = (context) => {
  const swapped = (index: number, attribute: string) => {
    const shape = context.shape(index);
    if (shape === undefined || shape.length < 2 || context.node.int(attribute, 0) === 0) return shape;
    return [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
  };
  const unusual = context.node.int('transBatchA', 0) !== 0 || context.node.int('transBatchB', 0) !== 0;
  const shape = unusual ? undefined : matMulShape(swapped(0, 'transA'), swapped(1, 'transB'));
  context.set(0, context.elemType(0), shape);
};

const quantizedGemm: ShapeRule = (context) => {
  const rows = context.shape(0)?.[context.node.int('transA', 0) === 0 ? 0 : 1];
  const columns = context.shape(3)?.[context.node.int('transB', 0) === 0 ? 1 : 0];
  const elemType = context.has(8) ? context.elemType(8) : DataType.float32;
  context.set(0, elemType, [context.orUnknown(rows), context.orUnknown(columns)]);
};

function floatMatMul(b: number): ShapeRule {
  return (context) => context.set(0, DataType.float32, matMulShape(context.shape(0), context.shape(b)));
}

/** Attention with packed projection weights: [batch, sequence, value width]. */
const packedAttention: ShapeRule = (context) => {
  const input = context.shape(0);
  const widths = context.node.ints('qkv_hidden_sizes');
  const packed = context.shape(1)?.[1];
  const width = widths?.[2] ?? (packed === undefined ? undefined : divideDims(packed, 3));
  const elemType = context.node.opType === 'QAttention' ? DataType.float32 : context.elemType(0);
  context.set(0, elemType, input === undefined ? undefined : [input[0]!, input[1]!, context.orUnknown(width)]);
};

const multiHeadAttention: ShapeRule = (context) => {
  const query = context.shape(0);
  const value = context.shape(2);
  if (query?.length !== 3) return;
  const width = value?.length === 3 ? value[2]! : context.unknownDim();
  context.set(0, context.elemType(0), [query[0]!, query[1]!, context.has(2) ? width : query[2]!]);
};

const skipNormalization: ShapeRule = (context) => {
  context.set(0, context.elemType(0), context.shape(0));
  if (context.outputCount > 3) context.set(3, context.elemType(0), context.shape(0));
};

const embedNormalization: ShapeRule = (context) => {
  const ids = context.shape(0);
  const width = context.shape(2)?.[1];
  context.set(0, context.elemType(2), ids === undefined ? undefined : [...ids, context.orUnknown(width)]);
  if (context.outputCount > 1) context.set(1, DataType.int32, ids?.slice(0, 1));
};

const matMulNBits: ShapeRule = (context) => {
  const input = context.shape(0);
  const columns = context.node.int('N');
  context.set(
    0,
    context.elemType(0),
    input === undefined ? undefined : [...input.slice(0, -1), context.orUnknown(columns)],
  );
};

const quantizedConcat: ShapeRule = (context) => {
  const shapes = context.node.inputs.map((_, i) => context.shape(i)).filter((_, i) => i >= 2 && (i - 2) % 3 === 0);
  const first = shapes[0];
  if (first === undefined || shapes.some((shape) => shape?.length !== first.length)) return;
  const axis = context.node.int('axis', 0);
  const at = axis < 0 ? axis + first.length : axis;
  const sizes = shapes.map((shape) => shape![at]);
  const total = sizes.every((size) => typeof size === 'number')
    ? (sizes as number[]).reduce((sum, size) => sum + size, 0)
    : undefined;
  context.set(
    0,
    context.elemType(2),
    first.map((dim, i) => (i === at ? context.orUnknown(total) : dim)),
  );
};

const globalAveragePool: ShapeRule = (context) => {
  const shape = context.shape(0);
  const channelsLast = context.node.int('channels_last', 0) !== 0;
  const isChannel = (axis: number, rank: number) => axis === (channelsLast ? rank - 1 : 1);
  context.set(
    0,
    context.elemType(0),
    shape?.map((dim, axis) => (axis === 0 || isChannel(axis, shape.length) ? dim : 1)),
  );
};

/** Runs a rule for channels-first data on channels-last data. */
function channelsLast(rule: ShapeRule): ShapeRule {
  return (context) => {
    const { node } = context;
    const shape = context.shape(0);
    if (node.int('channels_last', 0) === 0 || shape === undefined || shape.length < 3) return rule(context);
    const channelsFirst = [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)];
    const inner = context.withInput(0, { elemType: context.elemType(0), shape: channelsFirst });
    rule(inner);
    const result = inner.result(0);
    const dims = result?.shape;
    if (result !== undefined) {
      context.set(0, result.elemType, dims === undefined ? undefined : [dims[0]!, ...dims.slice(2), dims[1]!]);
    }
  };
}

const reorderOutput: ShapeRule = (context) => {
  const shape = context.shape(0);
  const channels = context.node.int('channels', 0);
  if (shape?.length !== 4 || channels === 0) return;
  const dims = [shape[0]!, channels, shape[2]!, shape[3]!];
  const last = context.node.int('channels_last', 0) !== 0;
  context.set(0, context.elemType(0), last ? [dims[0]!, dims[2]!, dims[3]!, dims[1]!] : dims);
};

const reorderInput: ShapeRule = (context) => {
  const shape = context.shape(0);
  if (shape?.length !== 4) return;
  const last = context.node.int('channels_last', 0) !== 0;
  context.set(0, context.elemType(0), last ? [shape[0]!, shape[3]!, shape[1]!, shape[2]!] : shape);
};

const { Conv, QLinearConv, MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool } = convolutionRules;

/** Operators of ONNX Runtime's own domains, as its graph optimiser puts them into a graph. */
export const microsoftRules: Readonly<Record<string, ShapeRule>> = {
  ...Object.fromEntries(
    [
      'BiasGelu',
      'BiasSoftmax',
      'FastGelu',
      'Gelu',
      'QuickGelu',
      'QLinearSigmoid',
      'QLinearLeakyRelu',
      'QLinearSoftmax',
      'SimplifiedLayerNormalization',
      'BiasSplitGelu',
    ].map((opType) => [opType, sameAsFirst]),
  ),
  QuantizeLinear: generatorRules.QuantizeLinear!,
  DequantizeLinear: generatorRules.DequantizeLinear!,
  QLinearAdd: quantizedBinary,
  QLinearMul: quantizedBinary,
  QLinearConcat: quantizedConcat,
  QLinearConv: channelsLast(QLinearConv!),
  QLinearAveragePool: channelsLast(AveragePool!),
  QLinearGlobalAveragePool: globalAveragePool,
  NhwcMaxPool: channelsLast(MaxPool!),
  FusedConv: Conv!,
  FusedGemm: matrixRules.Gemm!,
  FusedMatMul: fusedMatMul,
  FusedMatMulActivation: fusedMatMul,
  TransposeMatMul: fusedMatMul,
  QGemm: quantizedGemm,
  MatMulIntegerToFloat: floatMatMul(1),
  DynamicQuantizeMatMul: floatMatMul(1),
  MatMulNBits: matMulNBits,
  Attention: packedAttention,
  QAttention: packedAttention,
  MultiHeadAttention: multiHeadAttention,
  SkipLayerNormalization: skipNormalization,
  SkipSimplifiedLayerNormalization: skipNormalization,
  EmbedLayerNormalization: embedNormalization,
  // Blocked-layout twins ("nchwc"): shapes are written as if the layout were not blocked.
  'nchwc.Conv': Conv!,
  'nchwc.MaxPool': MaxPool!,
  'nchwc.AveragePool': AveragePool!,
  'nchwc.GlobalAveragePool': GlobalAveragePool!,
  'nchwc.GlobalMaxPool': GlobalMaxPool!,
  'nchwc.ReorderInput': reorderInput,
  'nchwc.ReorderOutput': reorderOutput,
  'nchwc.Upsample': (context) => {
    const scales = context.node.ints('scales');
    context.set(
      0,
      context.elemType(0),
      context.shape(0)?.map((dim, i) => context.orUnknown(multiplyDims(dim, scales?.[i] ?? 1))),
    );
  },
};

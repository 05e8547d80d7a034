import type { TextPrior } from '../../codec/mix-parts.ts';
import { GraphContext } from './graph-context.ts';

type Bytes = readonly number[];

function text(value: string): Bytes {
  return Array.from(value, (character) => character.charCodeAt(0));
}

function varint(value: number): Bytes {
  const low = value & 127;
  return value < 128 ? [low] : [low | 128, ...varint(value >> 7)];
}

function field(number: number, content: Bytes): Bytes {
  return [...varint((number << 3) | 2), ...varint(content.length), ...content];
}

const integers = (name: string, ...values: number[]): Bytes =>
  field(5, [...field(1, text(name)), ...values.flatMap((value) => [0x40, value]), 0xa0, 1, 7]);
const integer = (name: string, value: number): Bytes => field(5, [...field(1, text(name)), 0x18, value, 0xa0, 1, 2]);
const word = (name: string, value: string): Bytes =>
  field(5, [...field(1, text(name)), ...field(4, text(value)), 0xa0, 1, 3]);
const float = (name: string, ...bytes: number[]): Bytes =>
  field(5, [...field(1, text(name)), 0x15, ...bytes, 0xa0, 1, 1]);

function node(type: string, inputs: string[], output: string, name: string, ...attributes: Bytes[]): Bytes {
  const edges = [...inputs.flatMap((input) => field(1, text(input))), ...field(2, text(output))];
  const label = name === '' ? [] : field(3, text(name));
  return field(1, [...edges, ...label, ...field(4, text(type)), ...attributes.flat()]);
}

/** A tensor whose payload is left out of its message but counted in its length. */
function emptyTensor(name: string, dataType: number, dims: number[], size: number): Bytes {
  const head = [...dims.flatMap((dim) => [8, ...varint(dim)]), 0x10, dataType, ...field(8, text(name)), 0x4a];
  const content = [...head, ...varint(size)];
  return [0x2a, ...varint(content.length + size), ...content];
}

function tensor(name: string, dataType: number, dims: number[], ...raw: number[]): Bytes {
  const head = [...dims.flatMap((dim) => [8, dim]), 0x10, dataType, ...field(8, text(name))];
  return field(5, [...head, ...field(9, raw)]);
}

function valueInfo(number: number, name: string, ...dims: (number | string)[]): Bytes {
  const shape = dims.flatMap((dim) => field(1, typeof dim === 'number' ? [8, dim] : field(2, text(dim))));
  return field(number, [...field(1, text(name)), ...field(2, field(1, [8, 1, ...field(2, shape)]))]);
}

/** Quantization and back, named as edgepack names them. */
function quantizePair(value: string, index: number, scale: string, zero: string): Bytes {
  return [
    ...node('QuantizeLinear', [value, scale, zero], `q${index}`, ''),
    ...node('DequantizeLinear', [`q${index}`, scale, zero], `dq${index}`, ''),
  ];
}

function dequantizeWeights(index: number, weight: string, bias: string, axis: number): Bytes {
  const parameters = [`w${index}_scale`, `w${index}_zero`];
  return [
    ...node('DequantizeLinear', [weight, ...parameters], `w${index}`, '', integer('axis', axis)),
    ...node('DequantizeLinear', [bias, `w${index}_bias_scale`], `w${index}_bias`, '', integer('axis', 0)),
  ];
}

/** The parameters of one layer as initializers; payloads of 16 bytes and more are coded elsewhere and stand empty. */
function layerTensors(index: number, weight: string, bias: string, dims: number[], channels: number): Bytes {
  return [
    ...emptyTensor(`w${index}_scale`, 1, [channels], 4 * channels),
    ...emptyTensor(
      weight,
      3,
      dims,
      dims.reduce((product, dim) => product * dim, 1),
    ),
    ...emptyTensor(`w${index}_zero`, 3, [channels], channels),
    ...emptyTensor(`w${index}_bias_scale`, 1, [channels], 4 * channels),
    ...emptyTensor(bias, 6, [channels], 4 * channels),
  ];
}

function convolution(input: string, weight: string, bias: string, output: string, name: string, stride: number): Bytes {
  return node(
    'Conv',
    [input, weight, bias],
    output,
    name,
    word('auto_pad', 'NOTSET'),
    integers('dilations', 1, 1),
    integer('group', 1),
    integers('kernel_shape', 3, 3),
    integers('pads', 1, 1, 1, 1),
    integers('strides', stride, stride),
  );
}

function buildPrimer(): Uint8Array {
  const scale = [0x12, 0x34, 0x80, 0x3c];
  return Uint8Array.from([
    ...[
      8,
      8,
      ...field(2, text('pytorch')),
      ...field(3, text('1.13.1')),
      ...field(2, text('onnx.quantize')),
      0x3a,
      0x80,
      0x40,
    ],
    ...node('Constant', [], '/Constant_output_0', '/Constant', integers('value', 1)),
    ...node('BatchNormalization', ['x', 'weight', 'bias', 'running_mean', 'running_var'], 'bn', 'BatchNormalization'),
    ...float('epsilon', 0xac, 0xc5, 0x27, 0x37),
    ...node('Clip', ['bn', 'min', 'max'], 'relu6', '/Clip'),
    ...node('Reshape', ['x', 'shape'], '/Reshape_output_0', '/Reshape', integer('allowzero', 0)),
    ...node('Transpose', ['x'], 'transpose', 'Transpose', integers('perm', 0, 2, 1, 3)),
    ...node('Gather', ['embeddings', 'input_ids'], '/Gather_output_0', '/Gather', integer('axis', 0)),
    ...[
      'Unsqueeze',
      'Squeeze',
      'Shape',
      'Slice',
      'Cast',
      'Concat',
      'Expand',
      'Where',
      'Equal',
      'ReduceMean',
      'Pow',
      'Sqrt',
      'Div',
      'Sub',
    ]
      .concat([
        'Mul',
        'Erf',
        'Tanh',
        'Sigmoid',
        'Softmax',
        'LayerNormalization',
        'Gelu',
        'HardSigmoid',
        'Pad',
        'Resize',
        'LeakyRelu',
      ])
      .flatMap((type) => node(type, [`/layer.0/${type}_output_0`], `/layer.1/${type}_output_0`, `/layer.1/${type}`)),
    ...node(
      'MatMul',
      ['/encoder/layer.0/attention/self/query/Transpose', 'onnx::MatMul_100'],
      'MatMul_output_0',
      '/MatMul',
    ),
    ...node('MaxPool', ['x'], 'pool', 'MaxPool', word('auto_pad', 'SAME_UPPER'), integer('ceil_mode', 0)),
    ...node('AveragePool', ['x'], 'pool', 'AveragePool', integers('kernel_shape', 2, 2), integers('strides', 2, 2)),
    ...node('GlobalAveragePool', ['x'], 'pooling', 'GlobalAveragePool'),
    ...node('Flatten', ['x'], '/Flatten_output_0', '/Flatten', integer('axis', 1)),
    ...node('Gemm', ['x', 'fc.weight', 'fc.bias'], 'logits', '/fc/Gemm'),
    ...[...float('alpha', 0, 0, 0x80, 0x3f), ...float('beta', 0, 0, 0x80, 0x3f), ...integer('transB', 1)],
    ...quantizePair('input', 0, 's0', 'zero1'),
    ...dequantizeWeights(0, 'model/conv2d/BiasAdd_weights_fused_bn', 'model/conv2d/BiasAdd_bias_fused_bn', 0),
    ...convolution('dq0', 'w0', 'w0_bias', 'model/activation/Relu:0', 'model/conv2d/BiasAdd', 1),
    ...quantizePair('model/activation/Relu:0', 1, 's2', 'zero1'),
    ...dequantizeWeights(1, 'model/conv2d_1/Conv2D/ReadVariableOp:0', 'model/conv2d_1/BiasAdd/ReadVariableOp:0', 0),
    ...convolution('dq1', 'w1', 'w1_bias', 'model/activation_1/Relu:0', 'model/conv2d_1/BiasAdd', 2),
    ...quantizePair('model/activation_1/Relu:0', 2, 's3', 'zero4'),
    ...node('Add', ['dq2', 'dq1'], 'model/add_1/add', 'model/add_1/add'),
    ...quantizePair('model/add_1/add', 3, 's5', 'zero1'),
    ...dequantizeWeights(2, 'onnx::Conv_102', 'onnx::Conv_103', 0),
    ...convolution('dq3', 'w2', 'w2_bias', '/layer1/relu/Relu_output_0', '/layer1/conv2/Conv', 1),
    ...quantizePair('/layer1/relu/Relu_output_0', 4, 's6', 'zero1'),
    ...node('MaxPool', ['q4'], 'q5', 'MaxPool', integers('kernel_shape', 2, 2), integers('strides', 2, 2)),
    ...node('Reshape', ['q5', 'shape'], 'q6', '/Reshape'),
    ...node('DequantizeLinear', ['q6', 's6', 'zero1'], 'dq5', ''),
    ...dequantizeWeights(3, 'fc.weight', 'model/dense/MatMul_bias', 1),
    ...node('Gemm', ['dq5', 'w3', 'w3_bias'], 'logits', '/fc/Gemm', integer('transB', 1)),
    ...field(2, text('main_graph')),
    ...tensor('s0', 1, [], ...scale),
    ...tensor('zero1', 2, [], 0),
    ...layerTensors(
      0,
      'model/conv2d/BiasAdd_weights_fused_bn',
      'model/conv2d/BiasAdd_bias_fused_bn',
      [16, 3, 3, 3],
      16,
    ),
    ...tensor('s2', 1, [], ...scale),
    ...layerTensors(
      1,
      'model/conv2d_1/Conv2D/ReadVariableOp:0',
      'model/conv2d_1/BiasAdd/ReadVariableOp:0',
      [32, 16, 3, 3],
      32,
    ),
    ...tensor('s3', 1, [], ...scale),
    ...tensor('zero4', 2, [], 128),
    ...tensor('s5', 1, [], ...scale),
    ...layerTensors(2, 'onnx::Conv_102', 'onnx::Conv_103', [64, 32, 1, 1], 64),
    ...tensor('s6', 1, [], ...scale),
    ...layerTensors(3, 'fc.weight', 'model/dense/MatMul_bias', [128, 10], 10),
    ...tensor('shape', 7, [2], 1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    ...valueInfo(11, 'input', 'batch_size', 3, 32, 32),
    ...valueInfo(12, 'output', 'batch_size', 10),
    ...valueInfo(13, '/relu/Relu_output_0', 'batch_size', 16, 32, 32),
    ...valueInfo(13, '/layer1/conv2/Conv_output_0', 'unk__100', 32, 16, 16),
    ...field(8, [...field(1, text('')), 0x10, 13]),
    ...['ai.onnx.ml', 'ai.onnx.training', 'ai.onnx.preview', 'com.microsoft', 'ai.onnx.preview.training']
      .concat(['com.microsoft.experimental', 'com.microsoft.nchwc', 'org.pytorch.aten'])
      .flatMap((domain) => field(8, [...field(1, text(domain)), 0x10, 1])),
    ...field(14, [...field(1, text('onnx.infer')), ...field(2, text('onnxruntime.quant'))]),
    ...field(14, [...field(1, text('onnx.quant.pre_process')), ...field(2, text('onnxruntime.quant'))]),
  ]);
}

/**
 * A made-up graph in ONNX's protobuf encoding, shown to the model of graphs and names before it codes one: operators, attributes and
 * naming habits that most files share then cost next to nothing, which is what makes the difference in small files. Part of format
 * version 1: any change to these bytes is a new version.
 */
const graphPrimer: Uint8Array = buildPrimer();

/** What is known of graphs before the first one. */
export const graphPrior: TextPrior = { primer: graphPrimer, context: () => new GraphContext() };

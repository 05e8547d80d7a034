type Bytes = readonly number[];

function text(value: string): Bytes {
  return Array.from(value, (character) => character.charCodeAt(0));
}

function field(number: number, content: Bytes): Bytes {
  const length = content.length < 128 ? [content.length] : [(content.length & 127) | 128, content.length >> 7];
  return [(number << 3) | 2, ...length, ...content];
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
  return field(1, [...edges, ...field(3, text(name)), ...field(4, text(type)), ...attributes.flat()]);
}

function tensor(name: string, dataType: number, dims: number[], ...raw: number[]): Bytes {
  const head = [...dims.flatMap((dim) => [8, dim]), 0x10, dataType, ...field(8, text(name))];
  return field(5, [...head, ...field(9, raw)]);
}

function valueInfo(number: number, name: string, ...dims: (number | string)[]): Bytes {
  const shape = dims.flatMap((dim) => field(1, typeof dim === 'number' ? [8, dim] : field(2, text(dim))));
  return field(number, [...field(1, text(name)), ...field(2, field(1, [8, 1, ...field(2, shape)]))]);
}

function quantizePair(value: string): Bytes {
  const parameters = [`${value}_scale`, `${value}_zero_point`];
  const quantized = `${value}_QuantizeLinear_Output`;
  return [
    ...node('QuantizeLinear', [value, ...parameters], quantized, `${value}_QuantizeLinear`),
    ...node(
      'DequantizeLinear',
      [quantized, ...parameters],
      `${value}_DequantizeLinear_Output`,
      `${value}_DequantizeLinear`,
    ),
  ];
}

function dequantizeWeight(weight: string): Bytes {
  const inputs = [`${weight}_quantized`, `${weight}_scale`, `${weight}_zero_point`];
  return node(
    'DequantizeLinear',
    inputs,
    `${weight}_DequantizeLinear_Output`,
    `${weight}_DequantizeLinear`,
    integer('axis', 0),
  );
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
    ...quantizePair('input'),
    ...dequantizeWeight('conv1.weight'),
    ...dequantizeWeight('model/conv2d/BiasAdd_weights_fused_bn'),
    ...convolution(
      'input_DequantizeLinear_Output',
      'conv1.weight_DequantizeLinear_Output',
      'conv1.bias',
      '/conv1/Conv_output_0',
      '/conv1/Conv',
      1,
    ),
    ...node('Relu', ['/conv1/Conv_output_0'], '/relu/Relu_output_0', '/relu/Relu'),
    ...quantizePair('/relu/Relu_output_0'),
    ...convolution(
      '/relu/Relu_output_0_DequantizeLinear_Output',
      'onnx::Conv_102_DequantizeLinear_Output',
      'onnx::Conv_103',
      '/layer1/conv2/Conv_output_0',
      '/layer1/conv2/Conv',
      2,
    ),
    ...node('Add', ['/layer1/conv2/Conv_output_0', '/relu/Relu_output_0'], '/layer1/Add_output_0', '/layer1/Add'),
    ...quantizePair('/layer1/Add_output_0'),
    ...field(2, text('main_graph')),
    ...tensor('conv1.weight_scale', 1, [16], ...scale),
    ...tensor('conv1.weight_zero_point', 3, [16], 0),
    ...tensor('conv1.weight_quantized', 3, [16, 3, 3, 3], 0),
    ...tensor('conv1.bias_quantized', 6, [16], 0),
    ...tensor('conv1.bias_quantized_scale', 1, [16], ...scale),
    ...tensor('conv1.bias_quantized_zero_point', 6, [16], 0),
    ...tensor('/relu/Relu_output_0_scale', 1, [], ...scale),
    ...tensor('/relu/Relu_output_0_zero_point', 2, [], 0),
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
export const graphPrimer: Uint8Array = buildPrimer();

import { attr } from '../../dist/ir/node.js';
import { Tensor } from '../../dist/tensor/tensor.js';
import { Conv1x1, Conv3x3 } from './convolution.mjs';
import { Dense, Dropout, Relu } from './dense-layers.mjs';
import { gemm, gemmConstants } from './digits-dense.mjs';
import { classifier, dropout, finish } from './export-model.mjs';
import { Network } from './network.mjs';
import { BatchNorm } from './normalization.mjs';
import { Flatten, MaxPool } from './pooling.mjs';
import { Residual } from './residual.mjs';

/**
 * A small convolutional network with the parts of larger ones: convolutions with batch normalization and pooling, a residual
 * block around a depthwise separable convolution, and a classifier of two dense layers.
 */
export function convNetwork(random) {
  const residual = [
    ...[new Conv3x3(16, 16, 7, random, true), new BatchNorm(16, 7), new Relu()],
    ...[new Conv1x1(16, 16, 7, random), new BatchNorm(16, 7)],
  ];
  return new Network(
    [
      ...[new Conv3x3(1, 8, 28, random), new BatchNorm(8, 28), new Relu(), new MaxPool(8, 28)],
      ...[new Conv3x3(8, 16, 14, random), new BatchNorm(16, 14), new Relu(), new MaxPool(16, 14)],
      ...[new Residual(residual), new Relu(), new Flatten(16, 7)],
      ...[new Dense(16 * 49, 96, random), new Relu(), new Dropout(0.2, random), new Dense(96, 10, random)],
    ],
    true,
  );
}

/** Writes it as ONNX, batch norms unfolded: image [N, 1, 28, 28] of 0..1 to logits [N, 10]. Returns the size in bytes. */
export function exportConv(network, path) {
  const { layers } = network;
  const { model, image } = classifier('digits-conv');
  const { graph } = model;
  const block = (input, name, conv, norm) => {
    const kernel = conv instanceof Conv1x1 ? 1 : 3;
    const group = conv.depthwise ? conv.outputs : 1;
    const dims = [conv.outputs, conv.inputs / group, kernel, kernel];
    const out = graph.create(
      'Conv',
      [input, graph.addInitializer(Tensor.float32(`${name}.weight`, dims, conv.weight.values))],
      {
        name,
        outputNames: [`${name}_out`],
        attributes: [
          attr.ints('kernel_shape', [kernel, kernel]),
          attr.ints('pads', new Array(4).fill((kernel - 1) / 2)),
          attr.int('group', group),
        ],
      },
    ).output;
    const constants = { scale: norm.scale.values, bias: norm.bias.values, mean: norm.mean, variance: norm.variance };
    const inputs = Object.entries(constants).map(([part, values]) =>
      graph.addInitializer(Tensor.float32(`${name}_norm.${part}`, [norm.channels], values)),
    );
    return graph.create('BatchNormalization', [out, ...inputs], {
      name: `${name}_norm`,
      outputNames: [`${name}_norm_out`],
      attributes: [attr.float('epsilon', norm.epsilon)],
    }).output;
  };
  const relu = (input, name) => graph.create('Relu', [input], { name, outputNames: [`${name}_out`] }).output;
  const pool = (input, name) =>
    graph.create('MaxPool', [input], {
      name,
      outputNames: [`${name}_out`],
      attributes: [attr.ints('kernel_shape', [2, 2]), attr.ints('strides', [2, 2])],
    }).output;

  let x = pool(relu(block(image, 'stem', layers[0], layers[1]), 'stem_relu'), 'stem_pool');
  x = pool(relu(block(x, 'middle', layers[4], layers[5]), 'middle_relu'), 'middle_pool');
  const [depthwise, depthwiseNorm, , pointwise, pointwiseNorm] = layers[8].body;
  const body = relu(block(x, 'depthwise', depthwise, depthwiseNorm), 'depthwise_relu');
  const sum = graph.create('Add', [block(body, 'pointwise', pointwise, pointwiseNorm), x], { name: 'residual_add' });
  const flatten = { name: 'flatten', attributes: [attr.int('axis', 1)] };
  x = graph.create('Flatten', [relu(sum.output, 'residual_relu')], flatten).output;
  x = relu(
    graph.create('Gemm', [x, ...gemmConstants(graph, 'hidden', layers[11])], gemm('hidden')).output,
    'hidden_relu',
  );
  x = dropout(graph, x, layers[13]);
  const logits = graph.create('Gemm', [x, ...gemmConstants(graph, 'output', layers[14])], gemm('output', ['logits']));
  return finish(model, logits.output, path);
}

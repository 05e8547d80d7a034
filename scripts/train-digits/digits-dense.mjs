import { attr } from '../../dist/ir/node.js';
import { Tensor } from '../../dist/tensor/tensor.js';
import { Dense, Dropout, Relu } from './dense-layers.mjs';
import { classifier, dropout, finish } from './export-model.mjs';
import { Network } from './network.mjs';

/** The textbook's digit classifier: 784 inputs, 128 hidden units with a rectifier, 10 classes. */
export function denseNetwork(random) {
  return new Network(
    [new Dense(784, 128, random), new Relu(), new Dropout(0.1, random), new Dense(128, 10, random)],
    false,
  );
}

/** Writes it as ONNX: image [N, 1, 28, 28] of 0..1 to probabilities [N, 10]. Returns the size in bytes. */
export function exportDense(network, path) {
  const [hidden, , drop, output] = network.layers;
  const { model, image } = classifier('digits-dense');
  const { graph } = model;
  const flat = graph.create('Flatten', [image], { name: 'flatten', attributes: [attr.int('axis', 1)] }).output;
  const dense = graph.create('Gemm', [flat, ...gemmConstants(graph, 'hidden', hidden)], gemm('hidden')).output;
  const relu = graph.create('Relu', [dense], { name: 'relu' }).output;
  const dropped = dropout(graph, relu, drop);
  const scores = graph.create('Gemm', [dropped, ...gemmConstants(graph, 'output', output)], gemm('output')).output;
  const softmax = graph.create('Softmax', [scores], {
    name: 'softmax',
    outputNames: ['probabilities'],
    attributes: [attr.int('axis', 1)],
  });
  return finish(model, softmax.output, path);
}

export const gemm = (name, outputNames = [`${name}_out`]) => ({
  name,
  outputNames,
  attributes: [attr.int('transB', 1)],
});

/** Weight [out, in], as Gemm with transB takes it, and bias [out]. */
export function gemmConstants(graph, name, { inputs, outputs, weight, bias }) {
  const transposed = new Float32Array(inputs * outputs);
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) transposed[o * inputs + i] = weight.values[i * outputs + o];
  }
  return [
    graph.addInitializer(Tensor.float32(`${name}.weight`, [outputs, inputs], transposed)),
    graph.addInitializer(Tensor.float32(`${name}.bias`, [outputs], bias.values)),
  ];
}

import { describe, expect, it } from 'vitest';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { cost } from '../../src/ir/cost.ts';
import { Model } from '../../src/ir/model.ts';
import { attr } from '../../src/ir/node.ts';
import { tensorType } from '../../src/ir/types.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { zooAvailable, zooPath } from '../zoo.ts';

function weight(name: string, dims: number[]): Tensor {
  return Tensor.float32(name, dims, new Float32Array(dims.reduce((a, b) => a * b, 1)));
}

describe('cost', () => {
  it('counts a grouped convolution over a symbolic batch', () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const x = graph.addInput('x', tensorType(DataType.float32, ['batch', 4, 8, 8]));
    const conv = graph.create('Conv', [x, graph.addInitializer(weight('w', [6, 2, 3, 3]))], {
      attributes: [attr.int('group', 2), attr.ints('pads', [1, 1, 1, 1])],
    });
    graph.outputs.push(conv.output);
    const macs = 6 * 8 * 8 * 2 * 9;
    expect(cost(model).total).toEqual({ macs, parameters: 108, parameterBytes: 432, activationBytes: 6 * 64 * 4 });
    expect(cost(model, { symbols: { batch: 3 } }).total.macs).toBe(3 * macs);
  });

  it('counts matrix products between activations, Gemm and quantized products alike', () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const q = graph.addInput('q', tensorType(DataType.float32, ['batch', 2, 5, 4]));
    const k = graph.addInput('k', tensorType(DataType.float32, ['batch', 2, 4, 5]));
    const scores = graph.create('MatMul', [q, k]);
    const x = graph.addInput('x', tensorType(DataType.float32, [7, 3]));
    const gemm = graph.create('Gemm', [x, graph.addInitializer(weight('g', [3, 11]))], {
      attributes: [attr.int('transA', 1), attr.int('transB', 1)],
    });
    graph.outputs.push(scores.output, gemm.output);
    const { nodes } = cost(model);
    expect(nodes.map((node) => node.macs)).toEqual([2 * 5 * 5 * 4, 3 * 3 * 7]);
  });

  it('counts a transposed convolution, a recurrence, and a shared constant once', () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const x = graph.addInput('x', tensorType(DataType.float32, [1, 4, 5, 5]));
    const w = graph.addInitializer(weight('w', [4, 3, 2, 2]));
    const first = graph.create('ConvTranspose', [x, w], { attributes: [attr.ints('strides', [2, 2])] });
    const second = graph.create('ConvTranspose', [x, w], { attributes: [attr.ints('strides', [2, 2])] });
    const sequence = graph.addInput('s', tensorType(DataType.float32, [6, 'batch', 3]));
    const lstm = graph.create(
      'LSTM',
      [sequence, graph.addInitializer(weight('lw', [1, 16, 3])), graph.addInitializer(weight('lr', [1, 16, 4]))],
      { attributes: [attr.int('hidden_size', 4)], outputNames: ['y', 'h', 'c'] },
    );
    graph.outputs.push(first.output, second.output, lstm.output);
    const result = cost(model);
    expect(result.nodes.map((node) => node.macs)).toEqual([100 * 12, 100 * 12, 6 * 16 * 7]);
    expect(result.nodes.map((node) => node.parameters)).toEqual([48, 0, 48 + 64]);
  });

  it('takes nodes of unknown operators and unknown shapes as free', () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const x = graph.addInput('x', tensorType(DataType.float32, undefined));
    const odd = graph.create('Conv', [x, undefined], { domain: 'org.example' });
    const conv = graph.create('Conv', [odd.output, undefined]);
    graph.outputs.push(conv.output);
    expect(cost(model).total.macs).toBe(0);
  });
});

describe.skipIf(!zooAvailable)('cost of the zoo', () => {
  const cases = [
    ['efficientnet_lite0/model.onnx', 4_631_002],
    ['efficientnet_lite0/model-unsimplified.onnx', undefined],
    ['resnet8_cifar10/model.onnx', 77_706],
    ['resnet20_cifar10/model.onnx', 269_035],
    ['mnist_cntk/model.onnx', 5_994],
    ['minilm_banking77/model.onnx', 22_594_567],
  ] as const;
  it.each(cases)('%s', (path, parameters) => {
    const model = readModel(zooPath(path));
    const { total, nodes } = cost(model, { symbols: { T: 64 } });
    const heavy = nodes.filter(({ node }) => node.is('Conv', 'Gemm', 'MatMul'));
    expect(heavy.filter((entry) => entry.macs === 0).map((entry) => entry.node.name)).toEqual([]);
    if (parameters !== undefined) expect(total.parameters).toBe(parameters);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  readNetworks,
  type SharedLayer,
  sharedAvailable,
  sharedFolder,
} from '../../scripts/fit-latency/shared-rows.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { describeNetwork } from '../../src/latency/describe-network.ts';
import { sumFeatures } from '../../src/latency/layer-cost.ts';
import { listLayerCosts } from '../../src/latency/list-layer-costs.ts';
import { costFeatures } from '../../src/targets/cost-features.ts';
import { GraphBuilder } from '../passes/optimize/graph-builder.ts';
import { zooAvailable, zooEntry, zooPath } from '../zoo.ts';
import { graphOf } from './shared-networks.ts';

function kinds(build: GraphBuilder) {
  return listLayerCosts(build.model).layers.map(({ kind }) => kind);
}

describe('features of layers', () => {
  it('are those of the formulas', () => {
    const features = sumFeatures([
      {
        kind: 'conv3x3',
        macs: 9e9,
        weights: 1e9,
        inputElements: 1e9,
        outputElements: 2e9,
        inputChannels: 8,
        outputChannels: 12,
        height: 7,
        width: 8,
      },
    ]);
    // Tiles of 4: 7 rows cost 8. Twelve channels fill blocks of 4, not of 8. Each has a window of 9e9 / 12 elements.
    expect(features.conv3x3Gmac).toBeCloseTo(9 * (8 / 7), 10);
    expect(features.narrowGmac).toBeCloseTo(9 * 0.5, 10);
    expect(features.columnGb).toBeCloseTo(4 * (9 / 12), 10);
    expect(features.conv3x3Gb).toBeCloseTo(12, 10);
    expect(features.weightGb).toBeCloseTo(8, 10);
    expect(features.kiloLayers).toBeCloseTo(0.001, 10);
  });

  it('count products as narrow whose channels fill no block, but for those of an image', () => {
    const narrow = (inputChannels: number, outputChannels: number) =>
      sumFeatures([
        { kind: 'conv1x1', macs: 1e9, weights: 0, inputElements: 0, outputElements: 0, inputChannels, outputChannels },
      ]).narrowGmac;
    expect([narrow(16, 24), narrow(16, 20), narrow(20, 24), narrow(16, 21), narrow(21, 16), narrow(3, 16)]).toEqual([
      0, 0.5, 0.5, 1, 1, 0,
    ]);
  });
});

describe('layers of a graph', () => {
  it('fuse what engines fuse: bias, normalization and activation after a product', () => {
    const build = new GraphBuilder();
    const x = build.input('x', [1, 8, 6, 6]);
    const conv = build.op('Conv', [x, build.weight('w', [8, 8, 1, 1])]);
    const scale = build.float('s', [8], new Array(8).fill(1));
    const normal = build.op('BatchNormalization', [conv, scale, scale, scale, scale], { outputs: ['n'] });
    const relu = build.op('Clip', [normal, build.float('lo', [], [0]), build.float('hi', [], [6])]);
    build.model.graph.outputs.push(build.op('Relu', [build.op('Add', [relu, x])]));
    expect(kinds(build)).toEqual(['conv1x1', 'pointwise', 'pointwise']);
  });

  it('see x times sigmoid(x), hard swish and GELU as one layer each', () => {
    const build = new GraphBuilder();
    const x = build.input('x', [1, 1000]);
    const swish = build.op('Mul', [x, build.op('Sigmoid', [x])], { outputs: ['swish'] });
    const three = build.float('three', [], [3]);
    const gate = build.op('Clip', [
      build.op('Add', [swish, three]),
      build.float('lo', [], [0]),
      build.float('hi', [], [6]),
    ]);
    const hard = build.op('Div', [build.op('Mul', [swish, gate], { outputs: ['m'] }), build.float('six', [], [6])]);
    const erf = build.op('Erf', [build.op('Mul', [hard, build.float('r', [], [0.7])], { outputs: ['m2'] })]);
    const gelu = build.op('Mul', [hard, build.op('Add', [erf, build.float('one', [], [1])], { outputs: ['a2'] })], {
      outputs: ['g'],
    });
    build.model.graph.outputs.push(build.op('Mul', [gelu, build.float('half', [], [0.5])], { outputs: ['y'] }));
    const { layers } = listLayerCosts(build.model);
    expect(layers.map(({ kind }) => kind)).toEqual(['exponential', 'pointwise', 'exponential']);
    for (const layer of layers) expect(layer).toMatchObject({ inputElements: 1000, outputElements: 1000 });
  });

  it('tell depthwise, grouped, dilated, strided and transposed convolutions apart', () => {
    const build = new GraphBuilder();
    const x = build.input('x', [1, 8, 16, 16]);
    const pads = [1, 1, 1, 1];
    build.model.graph.outputs.push(
      build.op('Conv', [x, build.weight('a', [8, 1, 3, 3])], { outputs: ['1'], attributes: { group: 8, pads } }),
      build.op('Conv', [x, build.weight('b', [8, 4, 3, 3])], { outputs: ['2'], attributes: { group: 2, pads } }),
      build.op('Conv', [x, build.weight('c', [8, 8, 3, 3])], { outputs: ['3'], attributes: { dilations: [2, 2] } }),
      build.op('Conv', [x, build.weight('d', [8, 8, 3, 3])], { outputs: ['4'], attributes: { strides: [2, 2] } }),
      build.op('ConvTranspose', [x, build.weight('e', [8, 8, 2, 2])], {
        outputs: ['5'],
        attributes: { strides: [2, 2] },
      }),
    );
    expect(kinds(build)).toEqual(['depthwise', 'conv3x3', 'conv-other', 'conv-other', 'conv-other']);
    expect(listLayerCosts(build.model).layers[1]).toMatchObject({ inputChannels: 4, outputChannels: 4 });
  });

  it('do not see quantization, reshapes and shape arithmetic', () => {
    const plain = new GraphBuilder();
    const quantized = new GraphBuilder();
    for (const build of [plain, quantized]) {
      const isQuantized = build === quantized;
      const scale = build.float('scale', [], [0.1]);
      const wrap = (value: ReturnType<GraphBuilder['input']>, name: string) =>
        isQuantized
          ? build.op(
              'DequantizeLinear',
              [build.op('QuantizeLinear', [value, scale], { outputs: [`${name}q`] }), scale],
              {
                outputs: [`${name}d`],
              },
            )
          : value;
      const x = build.input('x', [1, 8, 6, 6]);
      const w = wrap(build.weight('w', [8, 8, 3, 3]), 'w');
      const conv = build.op('Conv', [wrap(x, 'x'), w], { attributes: { pads: [1, 1, 1, 1] } });
      const relu = build.op('Relu', [wrap(conv, 'c')]);
      const flat = build.op('Reshape', [wrap(relu, 'r'), build.ints('shape', [1, -1])]);
      build.model.graph.outputs.push(build.op('MatMul', [flat, wrap(build.weight('fc', [288, 10]), 'fc')]));
    }
    expect(describeNetwork(quantized.model)).toEqual(describeNetwork(plain.model));
    expect(kinds(plain)).toEqual(['conv3x3', 'fully-connected']);
    expect(describeNetwork(plain.model).features.weightGb).toBeCloseTo((2 * 4 * 576 + 4 * 2880) / 1e9, 15);
  });

  it('tell what moves elements from what computes', () => {
    const build = new GraphBuilder();
    const x = build.input('x', [1, 8, 6, 6]);
    const sum = build.op('Add', [x, x], { outputs: ['sum'] });
    const joined = build.op('Concat', [sum, x], { outputs: ['joined'], attributes: { axis: 1 } });
    const pooled = build.op('GlobalAveragePool', [joined], { outputs: ['pooled'] });
    build.model.graph.outputs.push(build.op('Transpose', [joined], { outputs: ['turned'] }), pooled);
    expect(kinds(build)).toEqual(['pointwise', 'move', 'pointwise', 'move']);
    const { features } = describeNetwork(build.model);
    expect(features.moveGb).toBeCloseTo((4 * (2 * 576 + 2 * 576)) / 1e9, 15);
    expect(features.pointwiseGb - features.moveGb).toBeCloseTo((4 * (3 * 288 + 576 + 16)) / 1e9, 15);
  });

  it('say what the evidence has nothing like', () => {
    const build = new GraphBuilder();
    const x = build.input('x', [1, 10, 16]);
    const y = build.op('MatMul', [x, build.weight('w', [16, 16])], { outputs: ['y'] });
    const scores = build.op('MatMul', [y, build.op('Transpose', [y], { attributes: { perm: [0, 2, 1] } })], {
      outputs: ['s'],
    });
    build.model.graph.outputs.push(scores);
    const { unfamiliar } = describeNetwork(build.model);
    expect(unfamiliar.share).toBe(1);
    expect(unfamiliar.names).toEqual(['matrix products of many rows', 'products of activations']);
  });
});

describe.skipIf(!zooAvailable)('a trained model', () => {
  it('efficientnet_lite0 has the layers of its paper', () => {
    const { features, layers, unfamiliar, macs } = describeNetwork(
      readModel(zooPath(zooEntry('efficientnet_lite0').model)),
    );
    expect(unfamiliar.share).toBe(0);
    // 49 convolutions, 9 residual sums, a pool and the classifier; activations are fused.
    expect(layers).toBeGreaterThanOrEqual(60);
    expect(layers).toBeLessThanOrEqual(64);
    expect(macs / 1e6).toBeGreaterThan(360);
    expect(features.exponentialGb).toBeLessThan(1e-4);
  });
});

describe.skipIf(!sharedAvailable)('the published networks, rebuilt as ONNX graphs', () => {
  const described = sharedAvailable ? readNetworks() : new Map();
  const layersOf = (name: string): SharedLayer[] =>
    JSON.parse(readFileSync(join(sharedFolder, 'networks.json'), 'utf8'))[name].layers;

  it.each(['squeezenet', 'mobilenet', 'resnet18', 'vgg16', 'mnasnet', 'proxylessnasnet'])(
    '%s: every feature is the same',
    (name) => {
      const { features } = describeNetwork(graphOf(layersOf(name)));
      costFeatures.forEach((feature, f) => {
        expect(features[feature], feature).toBeCloseTo(described.get(name)!.features[f]!, 12);
      });
    },
  );
});

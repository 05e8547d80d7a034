import { Graph } from '../../../../src/ir/graph.ts';
import { tensorType } from '../../../../src/ir/types.ts';
import type { Value } from '../../../../src/ir/value.ts';
import { DataType } from '../../../../src/tensor/data-type.ts';
import { GraphBuilder } from '../../optimize/graph-builder.ts';
import type { QuantizeCases } from '../quantize-case.ts';
import { conv } from './convolutions.ts';

function image(): { builder: GraphBuilder; x: Value } {
  const builder = new GraphBuilder();
  return { builder, x: builder.input('x', ['N', 4, 8, 8]) };
}

const same = { inputs: 4, outputs: 4 };

/** A branch that computes one operator of a value of the graph around it. */
function branch(name: string, opType: string, outer: Value): Graph {
  const graph = new Graph(name);
  const node = graph.create(opType, [outer], { outputNames: [`${name}_y`] });
  node.output.type = tensorType(DataType.float32, undefined);
  graph.outputs.push(node.output);
  return graph;
}

export const cases: QuantizeCases = {
  'an output in the middle': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)], { outputs: ['features'] });
      builder.output(stem, undefined);
      return builder.output(conv(builder, 'last', stem, { ...same, output: 'y' }), undefined);
    },
    kernels: { QuantizeLinear: 1, DequantizeLinear: 2, QLinearConv: 2 },
  },
  'an output between a convolution and its activation': {
    build: () => {
      const { builder, x } = image();
      const stem = conv(builder, 'stem', x, { ...same, output: 'raw' });
      builder.output(stem, undefined);
      return builder.output(conv(builder, 'last', builder.op('Relu', [stem]), { ...same, output: 'y' }), undefined);
    },
    kernels: { QuantizeLinear: 2, DequantizeLinear: 3, QLinearConv: 2 },
  },
  'an output of moved elements': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)]);
      const pooled = builder.op('MaxPool', [stem], { attributes: { kernel_shape: [2, 2] }, outputs: ['pooled'] });
      builder.output(pooled, undefined);
      return builder.output(conv(builder, 'last', pooled, { ...same, output: 'y' }), undefined);
    },
    kernels: { QuantizeLinear: 1, DequantizeLinear: 2, QLinearConv: 2, MaxPool: 1 },
  },
  'several outputs of several branches': {
    build: () => {
      const { builder, x } = image();
      const stem = builder.op('Relu', [conv(builder, 'stem', x, same)]);
      const flat = builder.op('Flatten', [builder.op('GlobalAveragePool', [stem])]);
      const weights = builder.weight('fc.weight', [4, 3]);
      builder.output(
        builder.op('Gemm', [flat, weights, builder.weight('fc.bias', [3])], { outputs: ['classes'] }),
        undefined,
      );
      builder.output(
        builder.op('Sigmoid', [conv(builder, 'mask', stem, { inputs: 4, outputs: 1 })], { outputs: ['mask'] }),
        undefined,
      );
      return builder.output(builder.op('Softmax', [conv(builder, 'box', stem, same)], { outputs: ['box'] }), undefined);
    },
    kernels: {
      QuantizeLinear: 1,
      DequantizeLinear: 2,
      QLinearConv: 3,
      QLinearGlobalAveragePool: 1,
      QGemm: 1,
      Sigmoid: 1,
      Softmax: 1,
    },
  },
  'a branch that reads a quantized value': {
    build: () => {
      const { builder, x } = image();
      const flag = builder.input('flag', [], DataType.bool);
      const stem = conv(builder, 'stem', x, same);
      const last = conv(builder, 'last', stem, { ...same, output: 'y' });
      const choice = builder.op('If', [flag], { outputs: ['chosen'] });
      const node = choice.producer!;
      node.setAttribute({ name: 'then_branch', kind: 'graph', value: branch('then', 'Abs', stem) });
      node.setAttribute({ name: 'else_branch', kind: 'graph', value: branch('else', 'Neg', stem) });
      for (const graph of node.subgraphs()) graph.owner = node;
      builder.output(choice, undefined);
      return builder.output(last, undefined);
    },
    kernels: { QuantizeLinear: 1, DequantizeLinear: 2, QLinearConv: 2, If: 1 },
  },
  'nothing to quantize': {
    build: () => {
      const { builder, x } = image();
      return builder.output(builder.op('Softmax', [builder.op('Add', [x, x])], { outputs: ['y'] }), undefined);
    },
    kernels: { Add: 1, Softmax: 1 },
  },
  'weights that are not constant': {
    build: () => {
      const { builder, x } = image();
      const w = builder.input('w', [4, 4, 3, 3]);
      const attributes = { kernel_shape: [3, 3] };
      const first = builder.op('Conv', [x, w], { name: 'dynamic', attributes });
      return builder.output(conv(builder, 'last', first, { ...same, output: 'y' }), undefined);
    },
    kernels: { QuantizeLinear: 1, DequantizeLinear: 1, Conv: 1, QLinearConv: 1 },
  },
  'weights that hold an infinity': {
    build: () => {
      const { builder, x } = image();
      const weights = builder.float(
        'broken',
        [4, 4, 1, 1],
        [Number.POSITIVE_INFINITY, ...new Array<number>(15).fill(0.1)],
      );
      const bounded = builder.op('Conv', [x, weights], { name: 'broken', attributes: { kernel_shape: [1, 1] } });
      return builder.output(builder.op('Softmax', [bounded], { outputs: ['y'] }), undefined);
    },
    kernels: { Conv: 1, Softmax: 1 },
  },
};

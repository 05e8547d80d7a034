import type { Model } from '../../src/ir/model.ts';
import { GraphBuilder } from '../passes/optimize/graph-builder.ts';
import { randomNumbers } from '../passes/quantize/quantize-case.ts';

/** A layer with weights as `[name, model]`-making recipe: everything that decides which kernel runs. */
export interface SmallLayer {
  readonly kind: 'conv' | 'depthwise' | 'gemm' | 'matmul';
  readonly inputs: number;
  readonly outputs: number;
  readonly rank: 1 | 2 | 3;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: number;
  readonly group: number;
  readonly bias: boolean;
  readonly relu: boolean;
  readonly seed: number;
  /** Half of the span of the weights, which are drawn evenly. */
  readonly weightSpan: number;
}

/** A float model of one layer from x to y. */
export function smallModel(layer: SmallLayer): Model {
  const builder = new GraphBuilder();
  const { kind, rank, kernel, weightSpan } = layer;
  const random = randomNumbers(layer.seed);
  const noise = (name: string, dims: readonly number[], span: number) =>
    builder.float(
      name,
      dims,
      Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (2 * random() - 1) * span),
    );
  const weight = (dims: readonly number[]) => noise('w', dims, weightSpan);
  const bias = (count: number) => (layer.bias ? [noise('b', [count], 0.5)] : []);
  if (kind === 'conv' || kind === 'depthwise') {
    const group = kind === 'depthwise' ? layer.inputs : layer.group;
    const inputs = kind === 'depthwise' ? layer.inputs : layer.inputs * group;
    const outputs = kind === 'depthwise' ? layer.inputs : layer.outputs * group;
    const spread = (value: number) => new Array<number>(rank).fill(value);
    const x = builder.input('x', [2, inputs, ...spread(7)]);
    const conv = builder.op('Conv', [x, weight([outputs, inputs / group, ...spread(kernel)]), ...bias(outputs)], {
      attributes: {
        group,
        kernel_shape: spread(kernel),
        strides: spread(layer.stride),
        dilations: spread(layer.dilation),
        // Uneven on purpose: less at the beginning than at the end.
        pads: [...spread(Math.max(0, layer.pad - 1)), ...spread(layer.pad)],
      },
      outputs: [layer.relu ? 'sum' : 'y'],
    });
    builder.output(layer.relu ? builder.op('Relu', [conv], { outputs: ['y'] }) : conv, undefined);
  } else if (kind === 'gemm') {
    const x = builder.input('x', ['N', layer.inputs]);
    const transB = layer.seed % 2;
    const w = weight(transB === 1 ? [layer.outputs, layer.inputs] : [layer.inputs, layer.outputs]);
    builder.output(
      builder.op('Gemm', [x, w, ...bias(layer.outputs)], { attributes: { transB }, outputs: ['y'] }),
      undefined,
    );
  } else {
    const x = builder.input('x', ['N', 3, layer.inputs]);
    const product = builder.op('MatMul', [x, weight([layer.inputs, layer.outputs])], {
      outputs: [layer.bias ? 'sum' : 'y'],
    });
    const [b] = bias(layer.outputs);
    builder.output(b === undefined ? product : builder.op('Add', [product, b], { outputs: ['y'] }), undefined);
  }
  return builder.model;
}

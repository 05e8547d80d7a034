import type { SharedLayer } from '../../scripts/fit-latency/shared-rows.ts';
import { Model } from '../../src/ir/model.ts';
import { attr } from '../../src/ir/node.ts';
import { tensorType } from '../../src/ir/types.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

/**
 * An ONNX graph with one node for each layer of a published description, each with inputs of its own: the sizes are what
 * counts, not how the layers are joined. Weights are zeros.
 */
export function graphOf(layers: readonly SharedLayer[]): Model {
  const model = Model.create(17, 8);
  const { graph } = model;
  const input = (name: string, shape: number[]) => graph.addInput(name, tensorType(DataType.float32, shape));
  const weight = (name: string, dims: number[]) =>
    graph.addInitializer(Tensor.float32(name, dims, new Float32Array(dims.reduce((a, b) => a * b, 1))));
  layers.forEach((layer, i) => {
    const name = (part: string) => `${part}${i}`;
    if (layer.k !== undefined) {
      const { k, s = 1, cin = 1, cout = 1, oh = 1, ow = 1, g = 1 } = layer;
      const area = layer.in_elems / cin;
      const height = Math.round(Math.sqrt(area));
      const x = input(name('x'), [1, cin, height, area / height]);
      const pads = [oh, ow].map((size, axis) => Math.max(0, (size - 1) * s + k - [height, area / height][axis]!));
      const begin = pads.map((pad) => Math.floor(pad / 2));
      const attributes = [
        attr.int('group', g),
        attr.ints('strides', [s, s]),
        attr.ints('pads', [...begin, ...pads.map((pad, axis) => pad - begin[axis]!)]),
      ];
      const conv = graph.create('Conv', [x, weight(name('w'), [cout, cin / g, k, k])], { attributes });
      // What engines fuse must not count.
      graph.outputs.push(graph.create('Relu', [conv.output]).output);
    } else if (layer.kind === 'fc') {
      const x = input(name('x'), [1, layer.in_elems]);
      graph.outputs.push(
        graph.create('Gemm', [x, weight(name('w'), [layer.in_elems, layer.out_elems])], { attributes: [] }).output,
      );
    } else {
      graph.outputs.push(...elementwise(layer, input, name, graph));
    }
  });
  return model;
}

function elementwise(
  { type, in_elems: count, out_elems: made }: SharedLayer,
  input: (name: string, shape: number[]) => ReturnType<Model['graph']['addInput']>,
  name: (part: string) => string,
  graph: Model['graph'],
) {
  const flat = (part: string, size: number) => input(name(part), [1, size]);
  switch (type) {
    case 'ReLU':
      return [graph.create('Relu', [flat('x', count)]).output];
    case 'Softmax':
      return [graph.create('Softmax', [flat('x', count)]).output];
    case 'BinaryOp':
    case 'Eltwise':
      return [graph.create('Add', [flat('a', count / 2), flat('b', count / 2)]).output];
    case 'Concat':
      return [
        graph.create('Concat', [flat('a', count / 2), flat('b', count / 2)], { attributes: [attr.int('axis', 1)] })
          .output,
      ];
    case 'Pooling':
      // Channels carry the output where it is global; else rows of windows do.
      return [
        graph.create('ReduceMean', [input(name('x'), [1, made, count / made])], {
          attributes: [attr.ints('axes', [2]), attr.int('keepdims', 0)],
        }).output,
      ];
    default:
      throw new Error(`no operator for ${type}`);
  }
}

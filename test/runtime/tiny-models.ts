import type { onnx } from 'onnx-proto';
import onnxProto from 'onnx-proto';

const { AttributeProto, ModelProto } = onnxProto.onnx;

/** A node as `[opType, inputs, outputs, attributes]`. */
type NodeRecord = [string, string[], string[], onnx.IAttributeProto[]?];
type ValueRecord = [name: string, dataType: number, dims: (number | string)[]];

export const attribute = {
  int: (name: string, i: number): onnx.IAttributeProto => ({ name, i, type: AttributeProto.AttributeType.INT }),
  ints: (name: string, ints: number[]): onnx.IAttributeProto => ({
    name,
    ints,
    type: AttributeProto.AttributeType.INTS,
  }),
  graph: (name: string, g: onnx.IGraphProto): onnx.IAttributeProto => ({
    name,
    g,
    type: AttributeProto.AttributeType.GRAPH,
  }),
};

export function tensor(name: string, dataType: number, dims: number[], bytes: ArrayBufferView): onnx.ITensorProto {
  return { name, dataType, dims, rawData: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

export function graph(parts: {
  nodes: NodeRecord[];
  inputs: ValueRecord[];
  outputs: ValueRecord[];
  initializers?: onnx.ITensorProto[];
}): onnx.IGraphProto {
  const value = ([name, elemType, dims]: ValueRecord): onnx.IValueInfoProto => ({
    name,
    type: {
      tensorType: {
        elemType,
        shape: { dim: dims.map((dim) => (typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })) },
      },
    },
  });
  return {
    name: 'tiny',
    node: parts.nodes.map(([opType, input, output, list], index) => ({
      opType,
      input,
      output,
      name: `${opType}_${index}`,
      attribute: list ?? [],
    })),
    input: parts.inputs.map(value),
    output: parts.outputs.map(value),
    initializer: parts.initializers ?? [],
  };
}

export function model(content: onnx.IGraphProto): Uint8Array {
  const encoded = ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 13 }],
    graph: content,
  }).finish();
  return new Uint8Array(encoded);
}

/** y = relu(x) and z = x + x, of float32 [N, channels, 4]. */
export function reluModel(channels = 2): Uint8Array {
  return model(
    graph({
      nodes: [
        ['Relu', ['x'], ['y']],
        ['Add', ['x', 'x'], ['z']],
      ],
      inputs: [['x', 1, ['N', channels, 4]]],
      outputs: [
        ['y', 1, ['N', channels, 4]],
        ['z', 1, ['N', channels, 4]],
      ],
    }),
  );
}

/** y = x · factor, of float32 [N]. */
export function scaleModel(factor: number): Uint8Array {
  return model(
    graph({
      nodes: [['Mul', ['x', 'factor'], ['y']]],
      inputs: [['x', 1, ['N']]],
      outputs: [['y', 1, ['N']]],
      initializers: [tensor('factor', 1, [], Float32Array.of(factor))],
    }),
  );
}

/** Identity of one element type, of shape [N]. */
export function identityModel(dataType: number): Uint8Array {
  return model(
    graph({
      nodes: [['Identity', ['x'], ['y']]],
      inputs: [['x', dataType, ['N']]],
      outputs: [['y', dataType, ['N']]],
    }),
  );
}

/** y = zeros of the shape that the int64 input asks for: takes as much memory as it is told to. */
export function zerosModel(): Uint8Array {
  return model(
    graph({
      nodes: [['ConstantOfShape', ['shape'], ['y']]],
      inputs: [['shape', 7, [1]]],
      outputs: [['y', 1, ['N']]],
    }),
  );
}

/** Doubles x as often as `trips` says: 2^62 trips take for ever. */
export function loopModel(): Uint8Array {
  const body = graph({
    nodes: [
      ['Identity', ['keep_in'], ['keep_out']],
      ['Mul', ['value_in', 'value_in'], ['value_out']],
    ],
    inputs: [
      ['iteration', 7, []],
      ['keep_in', 9, []],
      ['value_in', 1, []],
    ],
    outputs: [
      ['keep_out', 9, []],
      ['value_out', 1, []],
    ],
  });
  return model(
    graph({
      nodes: [['Loop', ['trips', 'keep', 'x'], ['y'], [attribute.graph('body', body)]]],
      inputs: [
        ['trips', 7, []],
        ['x', 1, []],
      ],
      outputs: [['y', 1, []]],
      initializers: [tensor('keep', 9, [], Uint8Array.of(1))],
    }),
  );
}

/** y = a · b for uint8 a [M, K] and constant int8 b [K, N], in int32. */
export function integerMatMulModel(b: Int8Array, k: number, n: number): Uint8Array {
  return model(
    graph({
      nodes: [['MatMulInteger', ['a', 'b'], ['y']]],
      inputs: [['a', 2, ['M', k]]],
      outputs: [['y', 6, ['M', n]]],
      initializers: [tensor('b', 3, [k, n], b)],
    }),
  );
}

/** Reshapes float32 [N] to the shape that the other input asks for: fails at run time if the counts differ. */
export function reshapeModel(): Uint8Array {
  return model(
    graph({
      nodes: [['Reshape', ['x', 'shape'], ['y']]],
      inputs: [
        ['x', 1, ['N']],
        ['shape', 7, [2]],
      ],
      outputs: [['y', 1, ['A', 'B']]],
    }),
  );
}

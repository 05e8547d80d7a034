import type { onnx } from 'onnx-proto';
import onnxProto from 'onnx-proto';

const { AttributeProto, ModelProto } = onnxProto.onnx;
const { FLOAT, FLOATS, INT, INTS, STRING, STRINGS, TENSOR, GRAPH } = AttributeProto.AttributeType;

/** Attributes by what they hold. */
export const attribute = {
  float: (name: string, f: number): onnx.IAttributeProto => ({ name, type: FLOAT, f }),
  floats: (name: string, floats: number[]): onnx.IAttributeProto => ({ name, type: FLOATS, floats }),
  int: (name: string, i: number | Long): onnx.IAttributeProto => ({ name, type: INT, i: i as number }),
  ints: (name: string, ints: (number | Long)[]): onnx.IAttributeProto => ({ name, type: INTS, ints: ints as number[] }),
  string: (name: string, text: string): onnx.IAttributeProto => ({ name, type: STRING, s: Buffer.from(text) }),
  strings: (name: string, texts: string[]): onnx.IAttributeProto => ({
    name,
    type: STRINGS,
    strings: texts.map((text) => Buffer.from(text)),
  }),
  tensor: (name: string, t: onnx.ITensorProto): onnx.IAttributeProto => ({ name, type: TENSOR, t }),
  graph: (name: string, g: onnx.IGraphProto): onnx.IAttributeProto => ({ name, type: GRAPH, g }),
};

type Long = { low: number; high: number; unsigned: boolean };

export function node(
  opType: string,
  input: string[],
  output: string[],
  attributes: onnx.IAttributeProto[] = [],
  rest: onnx.INodeProto = {},
): onnx.INodeProto {
  return {
    opType,
    name: `${opType} of ${output[0] ?? 'nothing'}`.slice(0, 60),
    input,
    output,
    attribute: attributes,
    ...rest,
  };
}

export function value(name: string, dims: (number | string)[] | undefined, elemType = 1): onnx.IValueInfoProto {
  const shape =
    dims === undefined
      ? {}
      : { shape: { dim: dims.map((dim) => (typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })) } };
  return { name, type: { tensorType: { elemType, ...shape } } };
}

export function floats(name: string, dims: number[], values: readonly number[]): onnx.ITensorProto {
  return { name, dataType: 1, dims, rawData: new Uint8Array(Float32Array.from(values).buffer) };
}

export function ints(name: string, values: readonly (number | bigint)[], dims = [values.length]): onnx.ITensorProto {
  const bytes = BigInt64Array.from(values, (item) => BigInt(item));
  return { name, dataType: 7, dims, rawData: new Uint8Array(bytes.buffer) };
}

export function bytes(name: string, dims: number[], values: readonly number[], dataType: 2 | 3 = 3): onnx.ITensorProto {
  return { name, dataType, dims, rawData: Uint8Array.from(values, (item) => item & 255) };
}

export function bool(name: string, on: boolean): onnx.ITensorProto {
  return { name, dataType: 9, dims: [], rawData: Uint8Array.of(on ? 1 : 0) };
}

/** `x` of one row of four numbers in, `y` out; what is given takes the place of the parts. */
export function graph(nodes: onnx.INodeProto[], rest: onnx.IGraphProto = {}): onnx.IGraphProto {
  return { name: 'hostile', input: [value('x', [1, 4])], output: [value('y', undefined)], node: nodes, ...rest };
}

export function model(content: onnx.IGraphProto | undefined, rest: onnx.IModelProto = {}): Uint8Array {
  return ModelProto.encode({
    irVersion: 8,
    producerName: 'hostile',
    opsetImport: [{ version: 17 }],
    ...(content === undefined ? {} : { graph: content }),
    ...rest,
  }).finish();
}

/** A field of any message with a length in front. */
export function field(fieldId: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(fieldId * 8 + 2), varint(content.length), content]);
}

export function varint(number: number | bigint): Buffer {
  const encoded: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(number));
  for (; rest >= 128n; rest >>= 7n) encoded.push(Number(rest & 127n) | 128);
  encoded.push(Number(rest));
  return Buffer.from(encoded);
}

/** Weights that look like weights: the same in every run. */
export function noise(count: number, scale = 0.5): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return scale * (state / 2 ** 31 - 1);
  });
}

/** A small multilayer perceptron, sound in every way: `x` [1, 4] to `y` [1, 3]. */
export function soundGraph(): onnx.IGraphProto {
  return graph(
    [node('MatMul', ['x', 'w1'], ['h']), node('Relu', ['h'], ['a']), node('Gemm', ['a', 'w2', 'b'], ['y'])],
    {
      output: [value('y', [1, 3])],
      initializer: [floats('w1', [4, 8], noise(32)), floats('w2', [8, 3], noise(24)), floats('b', [3], noise(3))],
    },
  );
}

import fc from 'fast-check';
import { onnx } from 'onnx-proto';
import { describe, expect, test } from 'vitest';
import { decodeModel } from '../../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';

const T = onnx.TensorProto.DataType;

function modelWith(tensor: onnx.ITensorProto): Uint8Array {
  return onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: { name: 'g', initializer: [{ name: 't', ...tensor }] },
  }).finish();
}

function read(tensor: onnx.ITensorProto): Tensor {
  const bytes = modelWith(tensor);
  const model = decodeModel(bytes);
  // The encoder of this test packs dims, which the reader's schema does not: the same message in other bytes.
  expect(onnx.ModelProto.decode(Buffer.concat(encodeModel(model).pieces))).toEqual(onnx.ModelProto.decode(bytes));
  return [...model.graph.initializers][0]!.tensor!;
}

function rawOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

const int16 = [-32768, -1, 0, 1, 32767];
const uint16 = [0, 1, 0x3c00, 0xffff];

/** What the encoder writes into a typed field, and the little-endian array that it means. */
const forms: [name: string, dataType: number, typed: onnx.ITensorProto, means: ArrayBufferView, count?: number][] = [
  ['float32', T.FLOAT, { floatData: [1.5, -0, Number.NaN, 1e-45] }, Float32Array.of(1.5, -0, Number.NaN, 1e-45)],
  ['float64', T.DOUBLE, { doubleData: [Math.PI, -1e300] }, Float64Array.of(Math.PI, -1e300)],
  ['int8', T.INT8, { int32Data: [-128, -1, 127] }, Int8Array.of(-128, -1, 127)],
  ['uint8', T.UINT8, { int32Data: [0, 128, 255] }, Uint8Array.of(0, 128, 255)],
  ['bool', T.BOOL, { int32Data: [1, 0, 1] }, Uint8Array.of(1, 0, 1)],
  ['int16', T.INT16, { int32Data: int16 }, Int16Array.from(int16)],
  ['uint16', T.UINT16, { int32Data: uint16 }, Uint16Array.from(uint16)],
  ['float16', T.FLOAT16, { int32Data: uint16 }, Uint16Array.from(uint16)],
  ['bfloat16', T.BFLOAT16, { int32Data: uint16 }, Uint16Array.from(uint16)],
  ['int32', T.INT32, { int32Data: [-(2 ** 31), -1, 2 ** 31 - 1] }, Int32Array.of(-(2 ** 31), -1, 2 ** 31 - 1)],
  ['uint32', T.UINT32, { uint64Data: [0, 2 ** 32 - 1] }, Uint32Array.of(0, 2 ** 32 - 1)],
  ['complex64', T.COMPLEX64, { floatData: [1, 2, 3, 4] }, Float32Array.of(1, 2, 3, 4), 2],
  ['complex128', T.COMPLEX128, { doubleData: [1, 2, 3, 4] }, Float64Array.of(1, 2, 3, 4), 2],
  ['float8e4m3fn', 17, { int32Data: [0x7e, 0x80] }, Uint8Array.of(0x7e, 0x80)],
  ['int4', 22, { int32Data: [0x21, 0x03] }, Uint8Array.of(0x21, 0x03), 3],
  ['uint4', 21, { int32Data: [0xff] }, Uint8Array.of(0xff), 2],
  ['uint2', 25, { int32Data: [0b11100100, 0b1] }, Uint8Array.of(0b11100100, 0b1), 5],
];

describe('typed fields and raw_data mean the same', () => {
  test.each(forms)('%s', (_name, dataType, typed, means, count = (means as Uint8Array).length) => {
    const dims = [count];
    const fromTyped = read({ dataType, dims, ...typed });
    const fromRaw = read({ dataType, dims, rawData: rawOf(means) });
    expect(Buffer.from(fromTyped.bytes())).toEqual(Buffer.from(rawOf(means)));
    expect(Buffer.from(fromRaw.bytes())).toEqual(Buffer.from(rawOf(means)));
    expect([fromTyped.byteLength, fromRaw.byteLength]).toEqual([means.byteLength, means.byteLength]);
  });

  test('64-bit integers are exact', () => {
    const values = [-(2n ** 63n), -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n];
    const zigzag = onnx.TensorProto.encode({ name: 't', dataType: T.INT64, dims: [values.length] }).finish();
    const payload = Buffer.concat(values.map(varint));
    const bytes = wrap(7, wrap(5, Buffer.concat([zigzag, wrap(7, payload)])));
    const tensor = [...decodeModel(bytes).graph.initializers][0]!.tensor!;
    expect([...(tensor.toArray() as BigInt64Array)]).toEqual(values);
  });

  test('any int64 values survive the packed form', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)), (values) => {
        const head = onnx.TensorProto.encode({ name: 't', dataType: T.INT64, dims: [values.length] }).finish();
        const bytes = wrap(7, wrap(5, Buffer.concat([head, wrap(7, Buffer.concat(values.map(varint)))])));
        const tensor = [...decodeModel(bytes).graph.initializers][0]!.tensor!;
        expect([...(tensor.toArray() as BigInt64Array)]).toEqual(values);
      }),
    );
  });

  test('numbers that a writer did not pack are read all the same', () => {
    const head = onnx.TensorProto.encode({ name: 't', dataType: T.INT32, dims: [3] }).finish();
    const single = Buffer.concat([-5n, 7n, 300n].map((value) => Buffer.concat([Uint8Array.of(5 * 8), varint(value)])));
    const bytes = wrap(7, wrap(5, Buffer.concat([head, single])));
    const model = decodeModel(bytes);
    expect([...model.graph.initializers][0]!.tensor!.toNumbers()).toEqual([-5, 7, 300]);
    const copy = decodeModel(Buffer.concat(encodeModel(model).pieces));
    expect([...copy.graph.initializers][0]!.tensor!.toNumbers()).toEqual([-5, 7, 300]);
  });

  test('strings', () => {
    const stringData = ['', 'text', '\u00e9'].map((text) => Buffer.from(text));
    const tensor = read({ dataType: T.STRING, dims: [3], stringData });
    expect(tensor.data.strings!().map((bytes) => Buffer.from(bytes))).toEqual(stringData);
  });

  test('scalars and empty tensors', () => {
    expect(read({ dataType: T.FLOAT, dims: [], floatData: [2] }).toNumbers()).toEqual([2]);
    expect(read({ dataType: T.FLOAT, dims: [0, 5] }).toNumbers()).toEqual([]);
    expect(read({ dataType: T.FLOAT, dims: [0], rawData: new Uint8Array(0) }).toNumbers()).toEqual([]);
  });

  test('raw_data is a view, aligned or not', () => {
    const rawData = rawOf(Float32Array.from({ length: 2000 }, (_, i) => i));
    for (const name of ['t', 'tt', 'ttt', 'tttt']) {
      const bytes = modelWith({ name, dataType: T.FLOAT, dims: [2000], rawData });
      const tensor = [...decodeModel(bytes).graph.initializers][0]!.tensor!;
      expect(tensor.bytes().buffer).toBe(bytes.buffer);
      expect((tensor.toArray() as Float32Array)[1999]).toBe(1999);
    }
  });
});

describe('elements that do not fit the shape are refused', () => {
  const cases: [string, onnx.ITensorProto, RegExp][] = [
    ['short raw_data', { dataType: T.FLOAT, dims: [4], rawData: new Uint8Array(15) }, /holds 15 bytes .* needs 16/],
    ['long raw_data', { dataType: T.INT8, dims: [4], rawData: new Uint8Array(5) }, /holds 5 bytes .* needs 4/],
    ['missing elements', { dataType: T.FLOAT, dims: [4] }, /holds 0 elements .* needs 4/],
    ['too few numbers', { dataType: T.INT32, dims: [2, 2], int32Data: [1, 2, 3] }, /holds 3 elements .* needs 4/],
    ['the wrong field', { dataType: T.FLOAT, dims: [1], int32Data: [1] }, /holds 0 elements/],
    ['both forms', { dataType: T.FLOAT, dims: [1], floatData: [1], rawData: new Uint8Array(4) }, /twice/],
    ['strings', { dataType: T.STRING, dims: [2], stringData: [new Uint8Array(1)] }, /holds 1 strings/],
    ['no element type', { dims: [1], rawData: new Uint8Array(4) }, /no element type/],
    ['negative dims', { dataType: T.FLOAT, dims: [-1] }, /impossible shape/],
    ['overflowing dims', { dataType: T.FLOAT, dims: [2 ** 31, 2 ** 31] }, /impossible shape/],
    ['dims hidden by a zero', { dataType: T.FLOAT, dims: [2 ** 50, 0] }, /impossible shape/],
    ['many dims', { dataType: T.FLOAT, dims: new Array(1000).fill(1), floatData: [1] }, /1000 dimensions/],
  ];
  test.each(cases)('%s', (_name, tensor, message) => {
    expect(() => decodeModel(modelWith(tensor))).toThrow(message);
    expect(() => decodeModel(modelWith(tensor))).toThrow(
      expect.objectContaining({ code: 'model-invalid', location: { tensor: 't' }, hint: expect.any(String) }),
    );
  });
});

/** A 64-bit varint, negative numbers in two's complement. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function wrap(fieldId: number, content: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(fieldId * 8 + 2), varint(BigInt(content.length)), content]);
}

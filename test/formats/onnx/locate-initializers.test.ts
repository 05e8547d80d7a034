import { readFileSync } from 'node:fs';
import { onnx } from 'onnx-proto';
import { describe, expect, test } from 'vitest';
import { locateInitializers } from '../../../src/formats/onnx/locate-initializers.ts';
import { decodeModel } from '../../../src/formats/onnx/read-model.ts';
import { packedByteLength } from '../../../src/tensor/data-type.ts';
import { conformanceModels, hasConformance, hasZoo, zooModelPaths } from './conformance-archive.ts';

function tensor(name: string, byteLength: number, fill: number) {
  return { name, dataType: 2, dims: [byteLength], rawData: new Uint8Array(byteLength).fill(fill) };
}

const nested = onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: '', version: 17 }],
  graph: {
    name: 'g',
    initializer: [tensor('weights', 100, 1), tensor('small', 15, 9), tensor('edge', 16, 2)],
    sparseInitializer: [{ values: tensor('sparse', 70, 3), indices: tensor('indices', 80, 4), dims: [1000] }],
    node: [
      {
        opType: 'Constant',
        output: ['made'],
        attribute: [{ name: 'value', type: 4, t: tensor('', 90, 5) }],
      },
      {
        opType: 'If',
        input: ['c'],
        output: ['o'],
        attribute: [
          { name: 'then_branch', type: 5, g: { name: 't', initializer: [tensor('inThen', 128, 6)] } },
          { name: 'else_branch', type: 5, g: { name: 'e', initializer: [tensor('inElse', 129, 7)] } },
        ],
      },
    ],
  },
  functions: [
    {
      name: 'f',
      domain: 'd',
      node: [{ opType: 'Constant', output: ['k'], attribute: [{ name: 'value', type: 4, t: tensor('', 99, 8) }] }],
    },
  ],
}).finish();

describe('locateInitializers', () => {
  test('finds tensors of at least 16 bytes wherever they are', () => {
    const found = locateInitializers(nested);
    expect(Object.fromEntries(found.map((location) => [location.name, nested[location.offset]]))).toEqual({
      weights: 1,
      edge: 2,
      sparse: 3,
      indices: 4,
      made: 5,
      inThen: 6,
      inElse: 7,
      k: 8,
    });
    for (const { offset, byteLength, dataType, dims } of found) {
      expect(dataType).toBe(2);
      expect(dims).toEqual([byteLength]);
      expect(new Set(nested.subarray(offset, offset + byteLength)).size).toBe(1);
    }
  });

  test('ranges are sorted and disjoint', () => {
    let last = 0;
    for (const { offset, byteLength } of locateInitializers(nested)) {
      expect(offset).toBeGreaterThan(last);
      last = offset + byteLength;
    }
  });

  test('refuses what is no protobuf message, and truncated files', () => {
    expect(() => locateInitializers(Uint8Array.of(0x0f, 1, 2))).toThrow(/is not a readable ONNX model/);
    let refused = 0;
    for (let length = 1; length < nested.length; length++) {
      try {
        locateInitializers(nested.subarray(0, length));
      } catch (error) {
        expect((error as { code?: string }).code).toBe('model-unreadable');
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(nested.length * 0.9);
    expect(locateInitializers(new Uint8Array(0))).toEqual([]);
  });

  test('is bounded in depth', () => {
    let message = new Uint8Array(0);
    for (let i = 0; i < 300; i++) {
      const attribute = onnx.AttributeProto.encode({ name: 'b', type: 5 }).finish();
      const graph = wrap(1, wrap(5, concat(attribute, wrap(6, message))));
      message = graph as Uint8Array<ArrayBuffer>;
    }
    expect(() => locateInitializers(wrap(7, message))).toThrow(/nested deeper/);
  });
});

describe.skipIf(!hasZoo)('zoo models', () => {
  test.each(hasZoo ? zooModelPaths() : [])('%s: every initializer is found with its bytes', (path) => {
    const bytes = readFileSync(path);
    const found = new Map(locateInitializers(bytes).map((location) => [location.name, location]));
    for (const { name, tensor } of decodeModel(bytes).graph.initializers) {
      if (tensor!.byteLength < 64 || bytes.indexOf(tensor!.bytes()) === -1) continue; // int64_data has no byte range
      const { offset, byteLength, dataType, dims } = found.get(name)!;
      expect(Buffer.compare(bytes.subarray(offset, offset + byteLength), tensor!.bytes())).toBe(0);
      expect([dataType, dims]).toEqual([tensor!.dataType, tensor!.dims]);
      expect(byteLength).toBe(packedByteLength(dataType, tensor!.elementCount));
    }
  });
});

describe.skipIf(!hasConformance)('conformance models', () => {
  test('none is refused, and ranges stay in order', () => {
    for (const [path, bytes] of conformanceModels()) {
      let last = 0;
      for (const { offset, byteLength } of locateInitializers(bytes)) {
        expect(offset, path).toBeGreaterThan(last);
        last = offset + byteLength;
        expect(last).toBeLessThanOrEqual(bytes.length);
      }
    }
  });
});

function concat(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function wrap(fieldId: number, content: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let rest = content.length; ; rest = Math.floor(rest / 128)) {
    length.push(rest >= 128 ? (rest % 128) | 128 : rest);
    if (rest < 128) break;
  }
  return concat(Uint8Array.of(fieldId * 8 + 2, ...length), content);
}

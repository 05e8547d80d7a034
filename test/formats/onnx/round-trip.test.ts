import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeModel } from '../../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import { verify } from '../../../src/ir/verify.ts';
import { conformanceModels, hasConformance, hasZoo, zooModelPaths } from './conformance-archive.ts';

function rewritten(bytes: Uint8Array): Buffer {
  const { pieces, byteLength } = encodeModel(decodeModel(bytes));
  const copy = Buffer.concat(pieces);
  expect(copy.byteLength).toBe(byteLength);
  return copy;
}

describe.skipIf(!hasConformance)('conformance models', () => {
  test('all 1951 are written back byte for byte', () => {
    const models = conformanceModels();
    expect(models.length).toBe(1951);
    const different = models.filter(([, bytes]) => !rewritten(bytes).equals(bytes)).map(([path]) => path);
    expect(different).toEqual([]);
  });

  test('all 1951 pass verification', () => {
    for (const [path, bytes] of conformanceModels()) {
      expect(() => verify(decodeModel(bytes)), path).not.toThrow();
    }
  });
});

describe.skipIf(!hasZoo)('zoo models', () => {
  test.each(hasZoo ? zooModelPaths() : [])('%s is written back byte for byte', (path) => {
    const bytes = readFileSync(path);
    expect(rewritten(bytes).equals(bytes)).toBe(true);
  });
});

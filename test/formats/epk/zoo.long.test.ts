import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeEpk } from '../../../src/formats/epk/decode-epk.ts';
import { encodeEpk } from '../../../src/formats/epk/encode-epk.ts';
import { locateInitializers } from '../../../src/formats/onnx/locate-initializers.ts';

const shared = resolve('../shared');

function onnxFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? onnxFiles(path) : name.endsWith('.onnx') ? [path] : [];
  });
}

async function pack(path: string): Promise<{ raw: number; coded: number }> {
  const bytes = readFileSync(path);
  const { bytes: epk } = await encodeEpk([{ name: 'model.onnx', bytes, sections: locateInitializers(bytes) }]);
  const { files } = await decodeEpk(epk, { maxOutputBytes: bytes.length });
  // Compared as buffers: a difference in tens of megabytes must not be printed.
  expect(Buffer.compare(bytes, files[0]!.bytes)).toBe(0);
  return { raw: bytes.length, coded: epk.length };
}

const zoo = onnxFiles(join(shared, 'zoo'));
const conformance = onnxFiles(join(shared, 'conformance'));

describe.skipIf(zoo.length === 0)('.epk of the zoo', () => {
  it.each(zoo)('%s comes back byte for byte, a tenth smaller', async (path) => {
    const { raw, coded } = await pack(path);
    expect(coded).toBeLessThan(raw * 0.9);
  });
});

describe.skipIf(conformance.length === 0)('.epk of the conformance models', () => {
  it('comes back byte for byte, every one', async () => {
    for (const path of conformance) await pack(path);
  }, 900_000);
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeEpk } from '../../../src/formats/epk/decode-epk.ts';
import { type EpkEncodeOptions, encodeEpk } from '../../../src/formats/epk/encode-epk.ts';
import { locateInitializers } from '../../../src/formats/onnx/locate-initializers.ts';
import { conformanceModels, hasConformance, hasZoo, zooModelPaths } from '../onnx/conformance-archive.ts';

async function pack(bytes: Uint8Array, options: EpkEncodeOptions = {}): Promise<{ raw: number; coded: number }> {
  const { bytes: epk } = await encodeEpk([{ name: 'model.onnx', bytes, sections: locateInitializers(bytes) }], options);
  const { files } = await decodeEpk(epk, { maxOutputBytes: bytes.length });
  // Compared as buffers: a difference in tens of megabytes must not be printed.
  expect(Buffer.compare(bytes, files[0]!.bytes)).toBe(0);
  return { raw: bytes.length, coded: epk.length };
}

describe.skipIf(!hasZoo)('.epk of the zoo', () => {
  it.each(hasZoo ? zooModelPaths() : [])('%s comes back byte for byte, a tenth smaller', async (path) => {
    const { raw, coded } = await pack(readFileSync(path));
    expect(coded).toBeLessThan(raw * 0.9);
  });
});

describe.skipIf(!hasConformance)('.epk of the conformance models', () => {
  it('comes back byte for byte, every one, and every tenth by mixing as well', async () => {
    let count = 0;
    for (const [, bytes] of conformanceModels()) {
      await pack(bytes, { mixingLimitBytes: 0 });
      if (count % 10 === 0) await pack(bytes);
      count++;
    }
    expect(count).toBeGreaterThan(1900);
  });
});

import { describe, expect, it } from 'vitest';
import { decodeEpk } from '../../../src/formats/epk/decode-epk.ts';
import { type EpkFile, encodeEpk } from '../../../src/formats/epk/encode-epk.ts';

const text = new TextEncoder();

/** A file of two named tensors with some bytes around them. */
function exampleFile(): EpkFile {
  const weights = Int8Array.from({ length: 16 * 27 }, (_, i) => Math.round(40 * Math.sin(i * i) * (1 + (i % 3))));
  const scales = Float32Array.from({ length: 16 }, (_, i) => 0.01 + i / 1000);
  const parts = [
    text.encode('graph graph graph conv.weight'),
    new Uint8Array(weights.buffer),
    text.encode('conv.scale'),
    new Uint8Array(scales.buffer),
    text.encode('the end'),
  ];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  const offsets = parts.map((part) => {
    bytes.set(part, at);
    at += part.length;
    return at - part.length;
  });
  return {
    name: 'model.onnx',
    bytes,
    sections: [
      { name: 'conv.weight', offset: offsets[1]!, byteLength: weights.byteLength, dataType: 3, dims: [16, 3, 3, 3] },
      { name: 'conv.scale', offset: offsets[3]!, byteLength: scales.byteLength, dataType: 1, dims: [16] },
    ],
  };
}

describe('encodeEpk', () => {
  it('gives back the exact files', async () => {
    const files = [exampleFile(), { name: 'data/weights.bin', bytes: new Uint8Array(1000), sections: [] }];
    const { bytes } = await encodeEpk(files);
    const decoded = await decodeEpk(bytes);
    expect(decoded.files.map((file) => file.name)).toEqual(['model.onnx', 'data/weights.bin']);
    expect(decoded.files.map((file) => file.bytes)).toEqual(files.map((file) => file.bytes));
  });

  it('gives every byte an owner', async () => {
    const { bytes, sections, skeletons, overheadBytes } = await encodeEpk([exampleFile()]);
    const coded = [...sections, ...skeletons].reduce((sum, part) => sum + part.codedBytes, overheadBytes);
    expect(coded).toBe(bytes.length);
    const raw = [...sections, ...skeletons].reduce((sum, part) => sum + part.rawBytes, 0);
    expect(raw).toBe(exampleFile().bytes.length);
  });

  it('refuses sections that overlap or leave their file, and unsafe names', async () => {
    const file = exampleFile();
    const [first, second] = file.sections as [(typeof file.sections)[0], (typeof file.sections)[0]];
    await expect(encodeEpk([{ ...file, sections: [first, { ...second, offset: first.offset + 1 }] }])).rejects.toThrow(
      RangeError,
    );
    await expect(encodeEpk([{ ...file, sections: [{ ...first, byteLength: 1e6 }] }])).rejects.toThrow(RangeError);
    for (const name of ['', '/etc/passwd', '../x', 'a/../b', 'a\\b', 'C:x', 'a//b', 'a\u0000b']) {
      await expect(encodeEpk([{ ...file, name }])).rejects.toThrow(RangeError);
    }
    await expect(encodeEpk([file, file])).rejects.toThrow(RangeError);
  });
});

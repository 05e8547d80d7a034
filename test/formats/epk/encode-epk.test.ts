import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEpk } from '../../../src/formats/epk/decode-epk.ts';
import { type EpkFile, encodeEpk } from '../../../src/formats/epk/encode-epk.ts';
import { exampleFiles, exampleTensors, fileOf } from './example-files.ts';

async function roundTrip(files: readonly EpkFile[], mixingLimitBytes?: number): Promise<number> {
  const { bytes, sections, skeletons, overheadBytes } = await encodeEpk(
    files,
    mixingLimitBytes === undefined ? {} : { mixingLimitBytes },
  );
  const decoded = await decodeEpk(bytes);
  expect(decoded.files.map((file) => file.name)).toEqual(files.map((file) => file.name));
  expect(decoded.files.map((file) => file.bytes)).toEqual(files.map((file) => new Uint8Array(file.bytes)));
  // Every byte has an owner.
  const parts = [...sections, ...skeletons];
  expect(parts.reduce((sum, part) => sum + part.codedBytes, overheadBytes)).toBe(bytes.length);
  expect(parts.reduce((sum, part) => sum + part.rawBytes, 0)).toBe(files.reduce((sum, f) => sum + f.bytes.length, 0));
  expect(parts.every((part) => part.codedBytes >= 0)).toBe(true);
  return bytes.length;
}

const tensor = fc
  .record({
    name: fc.string({ maxLength: 12 }),
    dataType: fc.constantFrom(1, 2, 3, 6, 7, 8, 10, 11, 14, 21, 99),
    dims: fc.array(fc.nat(9), { maxLength: 5 }),
    size: fc.nat(600),
    fill: fc.constantFrom('zero', 'noise', 'ramp'),
    fits: fc.boolean(),
  })
  .map(({ name, dataType, dims, size, fill, fits }) => {
    const widths: Record<number, number> = { 1: 4, 6: 4, 7: 8, 10: 2, 11: 8, 14: 8 };
    const width = widths[dataType] ?? 1;
    const byteLength = fits ? Math.min(20_000, width * dims.reduce((product, dim) => product * dim, 1)) : size;
    const bytes = Uint8Array.from({ length: byteLength }, (_, i) =>
      fill === 'zero' ? 0 : fill === 'ramp' ? i : Math.imul(i + 7, 0x9e3779b1) >>> 24,
    );
    return { name, bytes, dataType, dims };
  });

describe('encodeEpk', () => {
  it.each([undefined, 0])('gives back the exact files, every byte owned (mixing limit %s)', async (limit) => {
    await roundTrip(exampleFiles(), limit);
  });

  it('packs nothing, empty files and files that are one section', async () => {
    await roundTrip([]);
    await roundTrip([{ name: 'empty', bytes: new Uint8Array(0), sections: [] }]);
    const bytes = new Uint8Array(5000).fill(3);
    await roundTrip([
      { name: 'all', bytes, sections: [{ name: 'w', offset: 0, byteLength: 5000, dataType: 3, dims: [50, 100] }] },
    ]);
    await roundTrip([
      { name: 'none', bytes, sections: [{ name: 'w', offset: 70, byteLength: 0, dataType: 1, dims: [0, 4] }] },
    ]);
  });

  it('packs any tensors, with dimensions that fit or lie', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(tensor, { maxLength: 6 }), fc.constantFrom(undefined, 0), async (tensors, limit) => {
        await roundTrip([fileOf('a.onnx', tensors), fileOf('b.data', tensors.slice(1))], limit);
      }),
      { numRuns: 25 },
    );
  });

  it('packs tensors of impossible types and shapes and with endless names', async () => {
    const bytes = new Uint8Array(400).fill(5);
    await roundTrip([
      fileOf('lies.onnx', [
        { name: 'negative', bytes, dataType: 3, dims: [-1, 400] },
        { name: 'huge', bytes, dataType: 1, dims: [2 ** 60, 3] },
        { name: 'fraction', bytes, dataType: 3, dims: [0.5, 800] },
        { name: 'type', bytes, dataType: -7, dims: [400] },
        { name: 'x'.repeat(100_000), bytes, dataType: 3, dims: [400] },
        { name: 'rank', bytes, dataType: 3, dims: new Array(100).fill(1) },
        { name: 'kernel', bytes, dataType: 3, dims: [4, 1, 1, 100] },
      ]),
    ]);
  });

  it('gives the same bytes for Buffers and for sections in any order', async () => {
    const [file, other] = exampleFiles() as [EpkFile, EpkFile];
    const { bytes } = await encodeEpk([file, other]);
    const shuffled = { ...file, bytes: Buffer.from(file.bytes), sections: [...file.sections].reverse() };
    expect((await encodeEpk([shuffled, other])).bytes).toEqual(bytes);
    expect((await decodeEpk(Buffer.from(bytes))).files[0]!.bytes).toEqual(file.bytes);
  });

  it('leaves its input as it was', async () => {
    const files = exampleFiles();
    await encodeEpk(files);
    expect(files).toEqual(exampleFiles());
  });

  it('codes the scales of a bias as a product and a repeated tensor as a copy', async () => {
    const tensors = exampleTensors(64, 4);
    const [weights, scales] = tensors as [(typeof tensors)[0], (typeof tensors)[0]];
    const files = [
      fileOf('model.onnx', [...tensors, { ...weights, name: 'copy' }, { ...scales, name: 'scales again' }]),
    ];
    for (const mixingLimitBytes of [undefined, 0]) {
      const { sections } = await encodeEpk(files, mixingLimitBytes === undefined ? {} : { mixingLimitBytes });
      const coded = new Map(sections.map((section) => [section.name, section.codedBytes]));
      expect(coded.get('conv.weight_scale')).toBeGreaterThan(64);
      expect(coded.get('conv.bias_scale')).toBeLessThan(8);
      expect(coded.get('copy')).toBeLessThan(4);
      expect(coded.get('scales again')).toBeLessThan(4);
      await roundTrip(files, mixingLimitBytes);
    }
  });

  it('does not take scales for a product that differ in one last bit, in a sign of zero or are not numbers', async () => {
    const tensors = exampleTensors(64, 4);
    const scales = new Float32Array(tensors[1]!.bytes.slice().buffer);
    for (const [at, value] of [
      [30, Number.NaN],
      [30, -0],
      [63, 1e-30],
      [0, Number.POSITIVE_INFINITY],
    ] as const) {
      const changed = scales.map((scale) => scale * Math.fround(0.25));
      changed[at] = value;
      const bytes = new Uint8Array(changed.buffer);
      await roundTrip([fileOf('model.onnx', [tensors[1]!, { ...tensors[3]!, bytes }])]);
    }
    const bytes = tensors[3]!.bytes.slice();
    bytes[4 * 20]! ^= 1;
    await roundTrip([fileOf('model.onnx', [tensors[1]!, { ...tensors[3]!, bytes }])]);
  });

  it('refuses sections that overlap or leave their file, and unsafe names', async () => {
    const file = exampleFiles()[0]!;
    const [first, second] = file.sections as [EpkFile['sections'][0], EpkFile['sections'][0]];
    const bad = [
      { ...file, sections: [first, { ...second, offset: first.offset + 1 }] },
      { ...file, sections: [{ ...first, byteLength: 1e6 }] },
      { ...file, sections: [{ ...first, offset: -1 }] },
      { ...file, sections: [{ ...first, offset: Number.NaN }] },
      ...['', '/etc/passwd', '../x', 'a/../b', 'a\\b', 'C:x', 'a//b', './a', 'a\u0000b'].map((name) => ({
        ...file,
        name,
      })),
    ];
    for (const candidate of bad) await expect(encodeEpk([candidate])).rejects.toThrow(RangeError);
    await expect(encodeEpk([file, file])).rejects.toThrow(RangeError);
  });
});

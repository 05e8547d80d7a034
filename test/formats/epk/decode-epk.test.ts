import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { CorruptStreamError } from '../../../src/codec/corrupt-stream-error.ts';
import { crc32 } from '../../../src/codec/crc32.ts';
import { decodeEpk } from '../../../src/formats/epk/decode-epk.ts';
import { encodeEpk } from '../../../src/formats/epk/encode-epk.ts';
import { openEpk } from '../../../src/formats/epk/open-epk.ts';
import { exampleFiles, exampleModel, exampleTensors, fileOf } from './example-files.ts';
import { referenceDecodeEpk } from './reference-epk-decoder.ts';

const frozen = JSON.parse(readFileSync(new URL('frozen-version-1.json', import.meta.url), 'utf8')) as Record<
  'mixing' | 'blocks' | 'graph',
  string
>;
const frozenBytes = (name: keyof typeof frozen): Uint8Array => new Uint8Array(Buffer.from(frozen[name], 'base64'));

/** A small `.epk` of each style. */
const examples: { name: string; bytes: Uint8Array }[] = [];
beforeAll(async () => {
  const [model, notes] = exampleFiles() as [ReturnType<typeof exampleFiles>[0], ReturnType<typeof exampleFiles>[0]];
  examples.push({ name: 'mixing', bytes: (await encodeEpk([notes])).bytes });
  examples.push({ name: 'graph', bytes: (await encodeEpk([exampleModel()])).bytes });
  examples.push({ name: 'blocks', bytes: (await encodeEpk([model, notes], { mixingLimitBytes: 0 })).bytes });
});

/** The same bytes with a header checksum that fits: what a forger would write. */
function withChecksum(bytes: Uint8Array): Uint8Array {
  const forged = bytes.slice();
  const view = new DataView(forged.buffer);
  const length = Math.min(view.getUint32(5, true), forged.length - 13);
  view.setUint32(9, crc32(forged.subarray(13, 13 + length)), true);
  return forged;
}

describe('decodeEpk', () => {
  it.each(['mixing', 'blocks'] as const)('reads what version 1 wrote, for ever (%s)', async (name) => {
    const { files } = await decodeEpk(frozenBytes(name));
    expect(files).toEqual(exampleFiles().map((file) => ({ name: file.name, bytes: file.bytes })));
  });

  it('reads what version 1 wrote of a model whose sections follow from its graph', async () => {
    const model = exampleModel();
    const bytes = frozenBytes('graph');
    expect((await decodeEpk(bytes)).files).toEqual([{ name: model.name, bytes: model.bytes }]);
    const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
    const archive = await openEpk({ byteLength: bytes.length, read });
    expect(await archive.list()).toEqual(model.sections.map((section) => ({ ...section, file: 'model.onnx' })));
    for (const { name, offset, byteLength } of model.sections) {
      expect(await archive.decodeSection(name)).toEqual(model.bytes.slice(offset, offset + byteLength));
    }
  });

  it('agrees with the reference decoder', async () => {
    const files = [...exampleFiles(), fileOf('wide.onnx', exampleTensors(64, 40))];
    const { bytes } = await encodeEpk(files, { mixingLimitBytes: 0 });
    const reference = referenceDecodeEpk(bytes);
    expect([...reference.keys()]).toEqual(files.map((file) => file.name));
    for (const file of (await decodeEpk(bytes)).files) expect([...file.bytes]).toEqual(reference.get(file.name));
  });

  it('names what is wrong with an empty file, another format, another version, a longer and a shorter file', async () => {
    const { bytes } = examples[2]!;
    await expect(decodeEpk(new Uint8Array(0))).rejects.toThrow('empty');
    await expect(decodeEpk(new TextEncoder().encode('no container at all'))).rejects.toThrow('not an .epk file');
    const newer = bytes.slice();
    newer[4] = 2;
    await expect(decodeEpk(newer)).rejects.toThrow('format version 2');
    await expect(decodeEpk(Uint8Array.of(...bytes, 0))).rejects.toThrow('after its end');
    await expect(decodeEpk(bytes.subarray(0, -1))).rejects.toThrow('truncated');
  });

  it('refuses every truncation', async () => {
    for (const { bytes } of examples) {
      for (let n = 0; n < bytes.length; n++) {
        await expect(decodeEpk(bytes.subarray(0, n))).rejects.toThrow(CorruptStreamError);
      }
    }
  });

  it('refuses any single changed bit', async () => {
    for (const { bytes } of examples) {
      // Every bit of the header, and one of each byte after it: a stream is checked as a whole.
      for (let bit = 0; bit < bytes.length * 8; bit += bit < 2400 ? 1 : 9) {
        const damaged = bytes.slice();
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        await expect(decodeEpk(damaged)).rejects.toThrow(CorruptStreamError);
      }
    }
  });

  it('refuses forged headers and streams with a clear error, in bounded time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 1, 2),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        async (which, edits) => {
          const forged = examples[which]!.bytes.slice();
          for (const [at, value] of edits) forged[13 + (at % (forged.length - 13))] = value;
          const result = decodeEpk(withChecksum(forged)).then(
            () => undefined,
            (error: unknown) => error,
          );
          const error = await result;
          if (error !== undefined) expect(error).toBeInstanceOf(CorruptStreamError);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('refuses to make more of a file than allowed', async () => {
    const bomb = await encodeEpk([{ name: 'zeros', bytes: new Uint8Array(1e8), sections: [] }]);
    expect(bomb.bytes.length).toBeLessThan(200);
    await expect(decodeEpk(bomb.bytes)).rejects.toThrow('more than the');
    expect((await decodeEpk(bomb.bytes, { maxOutputBytes: 1e8 })).files[0]!.bytes.length).toBe(1e8);
  });
});

describe('openEpk', () => {
  it.each(['mixing', 'blocks'] as const)('lists and decodes single sections (%s)', async (name) => {
    const bytes = frozenBytes(name);
    const ranges: [number, number][] = [];
    const archive = await openEpk({
      byteLength: bytes.length,
      read: async (offset, length) => {
        ranges.push([offset, length]);
        return bytes.subarray(offset, offset + length);
      },
    });
    const [model, notes] = exampleFiles() as [ReturnType<typeof exampleFiles>[0], ReturnType<typeof exampleFiles>[0]];
    expect(archive.files.map((file) => file.byteLength)).toEqual([model.bytes.length, notes.bytes.length]);
    expect(await archive.list()).toEqual(model.sections.map((section) => ({ ...section, file: 'model.onnx' })));
    for (const { name: section, offset, byteLength } of model.sections) {
      const payload = model.bytes.slice(offset, offset + byteLength);
      expect(await archive.decodeSection(section)).toEqual(payload);
      expect(await archive.decodeSection(section, 'model.onnx')).toEqual(payload);
    }
    await expect(archive.decodeSection('no such')).rejects.toThrow(RangeError);
    await expect(archive.decodeSection('conv.weight_scale', 'data/notes.txt')).rejects.toThrow(RangeError);
  });

  it('reads no more than header, names and the stream asked for', async () => {
    const bytes = frozenBytes('blocks');
    let read = 0;
    const archive = await openEpk({
      byteLength: bytes.length,
      read: async (offset, length) => {
        read += length;
        return bytes.subarray(offset, offset + length);
      },
    });
    await archive.decodeSection('conv.weight_scale');
    expect(read).toBeLessThan(bytes.length * 0.7);
  });
});

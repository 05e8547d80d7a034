import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementsOf } from '../../src/data/cast-elements.ts';
import { openNpz } from '../../src/data/npy-array.ts';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { npy, npz, temporaryFolder, zip } from './numpy-files.ts';

const arrays = {
  input_ids: npy([2, 3], Int32Array.of(1, 2, 3, 4, 5, 6)),
  'a/b:0': npy([2], Float32Array.of(0.5, -1)),
};

/** Opens and reads everything in an archive. */
async function readAll(path: string) {
  const archive = await openNpz(path);
  const result: Record<string, unknown> = {};
  for (const name of archive.names) result[name] = elementsOf(await (await archive.open(name)).all());
  return result;
}

describe('an .npz archive', () => {
  it.each([0, 8] as const)('gives back its arrays (method %i)', async (method) => {
    const folder = temporaryFolder();
    expect(await readAll(folder.write('d.npz', npz(arrays, method)))).toEqual({
      input_ids: Int32Array.of(1, 2, 3, 4, 5, 6),
      'a/b:0': Float32Array.of(0.5, -1),
    });
  });

  it('with 64-bit directory fields is read', async () => {
    const folder = temporaryFolder();
    const plain = npz({ x: npy([2], Int32Array.of(7, 8)) });
    const end = plain.subarray(-22);
    const start = end.readUInt32LE(16);
    const entry = Buffer.concat([plain.subarray(start, -22), Buffer.alloc(28)]);
    const extra = entry.length - 28;
    entry.writeUInt16LE(28, 30);
    entry.writeUInt16LE(1, extra);
    entry.writeUInt16LE(24, extra + 2);
    for (const [i, at] of [24, 20, 42].entries()) {
      entry.writeBigUInt64LE(BigInt(entry.readUInt32LE(at)), extra + 4 + i * 8);
      entry.writeUInt32LE(0xffffffff, at);
    }
    const record = Buffer.alloc(56 + 20);
    record.writeUInt32LE(0x06064b50, 0);
    record.writeBigUInt64LE(44n, 4);
    record.writeBigUInt64LE(1n, 24);
    record.writeBigUInt64LE(1n, 32);
    record.writeBigUInt64LE(BigInt(entry.length), 40);
    record.writeBigUInt64LE(BigInt(start), 48);
    record.writeUInt32LE(0x07064b50, 56);
    record.writeBigUInt64LE(BigInt(start + entry.length), 64);
    const tail = Buffer.from(end);
    tail.writeUInt32LE(0xffffffff, 12);
    tail.writeUInt32LE(0xffffffff, 16);
    const path = folder.write('wide.npz', Buffer.concat([plain.subarray(0, start), entry, record, tail]));
    expect(await readAll(path)).toEqual({ x: Int32Array.of(7, 8) });
  });

  it('is refused at every truncation', async () => {
    const folder = temporaryFolder();
    const bytes = npz(arrays, 8);
    for (let length = 0; length < bytes.length; length += 7) {
      const path = folder.write('t.npz', bytes.subarray(0, length));
      await expect(readAll(path), `${length} bytes`).rejects.toMatchObject({ code: 'data-unreadable' });
    }
  });

  it('with any byte changed is read as before or refused, never otherwise', async () => {
    const folder = temporaryFolder();
    for (const method of [0, 8] as const) {
      const bytes = npz(arrays, method);
      const whole = await readAll(folder.write('ok.npz', bytes));
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
          const damaged = Buffer.from(bytes);
          damaged[at]! ^= flip;
          try {
            const read = await readAll(folder.write('d.npz', damaged));
            // Names are not covered by a checksum; elements are.
            expect(Object.values(whole)).toEqual(expect.arrayContaining(Object.values(read)));
          } catch (error) {
            if (!(error instanceof EdgepackError)) throw error;
          }
        }),
        { numRuns: 150 },
      );
    }
  });

  it('whose elements are changed is refused by its checksum', async () => {
    const folder = temporaryFolder();
    const bytes = npz({ x: npy([2], Int32Array.of(7, 8)) });
    bytes[bytes.indexOf(Buffer.from(Int32Array.of(7, 8).buffer))]! ^= 1;
    await expect(readAll(folder.write('d.npz', bytes))).rejects.toMatchObject({
      code: 'data-unreadable',
      message: expect.stringContaining('its checksum is wrong'),
    });
  });

  it('that announces more or less than it holds is refused before anything that large is unpacked', async () => {
    const folder = temporaryFolder();
    const bomb = npz({ x: npy([1 << 20], new Uint8Array(1 << 20)) }, 8);
    const sizeAt = bomb.readUInt32LE(bomb.length - 6) + 24;
    for (const announced of [1000, (1 << 20) + 500, 0xfffffff0]) {
      bomb.writeUInt32LE(announced, sizeAt);
      await expect(readAll(folder.write('bomb.npz', bomb))).rejects.toMatchObject({ code: 'data-unreadable' });
    }
  });

  it('that is encrypted, packed by another method or lists a name twice is refused by name', async () => {
    const folder = temporaryFolder();
    const start = (bytes: Buffer) => bytes.readUInt32LE(bytes.length - 6);
    const encrypted = npz(arrays);
    encrypted.writeUInt16LE(1, start(encrypted) + 8);
    await expect(readAll(folder.write('e.npz', encrypted))).rejects.toThrow(/encrypted/);
    const method = npz(arrays);
    method.writeUInt16LE(14, start(method) + 10);
    await expect(readAll(folder.write('m.npz', method))).rejects.toThrow(/'input_ids\.npy' is packed by method 14/);
    const twice = zip({ 'aa.npy': arrays.input_ids, 'ab.npy': arrays.input_ids });
    twice.write('aa.npy', twice.lastIndexOf('ab.npy'));
    await expect(readAll(folder.write('t.npz', twice))).rejects.toThrow(/'aa\.npy' is there twice/);
  });
});

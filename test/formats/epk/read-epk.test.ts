import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EdgepackError } from '../../../src/diagnostics/edgepack-error.ts';
import { readEpk, withEpk } from '../../../src/formats/epk/read-epk.ts';
import { writeEpk } from '../../../src/formats/epk/write-epk.ts';
import { exampleFiles } from './example-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-epk-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function errorOf(promise: Promise<unknown>): Promise<EdgepackError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EdgepackError);
  return error as EdgepackError;
}

describe('writeEpk and readEpk', () => {
  it('writes one file, with its size, and reads the files back', async () => {
    const path = join(folder, 'model.epk');
    const written = await writeEpk(path, exampleFiles());
    expect(readdirSync(folder)).toEqual(['model.epk']);
    expect(readFileSync(path).length).toBe(written.byteLength);
    const coded = [...written.sections, ...written.skeletons].reduce((sum, part) => sum + part.codedBytes, 0);
    expect(coded + written.overheadBytes).toBe(written.byteLength);
    const { files } = await readEpk(path);
    expect(files).toEqual(exampleFiles().map(({ name, bytes }) => ({ name, bytes })));
  });

  it('reads one section of a file', async () => {
    const path = join(folder, 'model.epk');
    await writeEpk(path, exampleFiles(), { mixingLimitBytes: 0 });
    const { offset, byteLength } = exampleFiles()[0]!.sections[2]!;
    const bytes = await withEpk(path, (archive) => archive.decodeSection('conv.bias_quantized'));
    expect(bytes).toEqual(exampleFiles()[0]!.bytes.slice(offset, offset + byteLength));
  });

  it('reports a missing, a damaged and an unwritable file by code and place', async () => {
    const missing = join(folder, 'missing.epk');
    expect(await errorOf(readEpk(missing))).toMatchObject({ code: 'file-not-found', location: { file: missing } });
    const path = join(folder, 'model.epk');
    await writeEpk(path, exampleFiles());
    const bytes = readFileSync(path);
    bytes[bytes.length - 5]! ^= 4;
    writeFileSync(path, bytes);
    const damaged = await errorOf(readEpk(path));
    expect(damaged).toMatchObject({ code: 'epk-unreadable', location: { file: path } });
    expect(damaged.message).toContain('damaged');
    expect((await errorOf(readEpk(folder))).code).toMatch(/^(epk-unreadable|file-not-found)$/);
    const nowhere = join(folder, 'no', 'folder', 'model.epk');
    expect((await errorOf(writeEpk(nowhere, exampleFiles()))).code).toBe('output-unwritable');
  });

  it('leaves the old file where it cannot write the new one', async () => {
    const path = join(folder, 'model.epk');
    writeFileSync(path, 'old');
    const files = [...exampleFiles(), { name: '../outside', bytes: new Uint8Array(3), sections: [] }];
    await expect(writeEpk(path, files)).rejects.toThrow(RangeError);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['model.epk']);
  });
});

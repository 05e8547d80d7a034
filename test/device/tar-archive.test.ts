import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarArchive } from '../../src/device/tar-archive.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tar-archive-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function bytesOf(files: Parameters<typeof tarArchive>[0]): Promise<Buffer> {
  const pieces = [];
  for await (const piece of tarArchive(files)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('an archive', () => {
  it.skipIf(process.platform === 'win32')('is unpacked by tar', async () => {
    const path = join(folder, 'source');
    writeFileSync(path, Buffer.alloc(100_000, 'abc'));
    const sizes = [0, 1, 511, 512, 513];
    const bytes = await bytesOf([
      { name: 'deep/er/file', sizeBytes: 100_000, content: path },
      ...sizes.map((sizeBytes) => ({ name: `f${sizeBytes}`, sizeBytes, content: new Uint8Array(sizeBytes).fill(7) })),
    ]);
    writeFileSync(join(folder, 'a.tar'), bytes);
    execFileSync('tar', ['-xf', 'a.tar'], { cwd: folder });
    expect(readFileSync(join(folder, 'deep/er/file')).equals(readFileSync(path))).toBe(true);
    for (const size of sizes) expect(readFileSync(join(folder, `f${size}`))).toEqual(Buffer.alloc(size, 7));
  });

  it('is refused where a file is not as long as it was, or its name too long', async () => {
    const path = join(folder, 'changed');
    writeFileSync(path, 'four');
    for (const sizeBytes of [3, 5]) {
      await expect(bytesOf([{ name: 'f', sizeBytes, content: path }])).rejects.toThrow(/changed/);
    }
    await expect(bytesOf([{ name: 'x'.repeat(101), sizeBytes: 0, content: new Uint8Array() }])).rejects.toThrow(
      /too long/,
    );
  });
});

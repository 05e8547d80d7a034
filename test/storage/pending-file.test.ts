import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PendingFile } from '../../src/storage/pending-file.ts';
import { writePieces } from '../../src/storage/write-pieces.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-storage-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('writePieces', () => {
  test('writes pieces one after the other and returns the size', () => {
    const path = join(folder, 'out.bin');
    expect(writePieces(path, [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)])).toBe(3);
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    expect(readdirSync(folder)).toEqual(['out.bin']);
  });

  test('replaces an old file only when the new one is complete', () => {
    const path = join(folder, 'out.bin');
    writeFileSync(path, 'old');
    function* pieces() {
      yield Buffer.from('new');
      expect(readFileSync(path, 'utf8')).toBe('old');
      throw new Error('no more');
    }
    expect(() => writePieces(path, pieces())).toThrow('no more');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['out.bin']);
    writePieces(path, [Buffer.from('new')]);
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  test('says which file cannot be written', () => {
    const path = join(folder, 'missing', 'out.bin');
    expect(() => writePieces(path, [])).toThrow(
      expect.objectContaining({
        code: 'output-unwritable',
        message: 'cannot be written (ENOENT)',
        location: { file: path },
      }),
    );
  });

  test('a folder in the place of the file is left alone', () => {
    expect(() => writePieces(folder, [Uint8Array.of(1)])).toThrow(
      expect.objectContaining({ code: 'output-unwritable' }),
    );
    expect(existsSync(folder)).toBe(true);
  });
});

describe('PendingFile', () => {
  test('leaves nothing when it is discarded', () => {
    const file = new PendingFile(join(folder, 'a.bin'));
    file.write(Uint8Array.of(1));
    expect(readdirSync(folder)).toHaveLength(1);
    file.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('removes what a killed process left for the same path, and nothing else', () => {
    const path = join(folder, 'a.bin');
    const own = new PendingFile(path);
    const [ownName] = readdirSync(folder);
    const ended = spawnSync(process.execPath, ['-e', '']).pid;
    const left = ownName!.replace(`-${process.pid}-`, `-${ended}-`);
    const ofOtherHost = ownName!.replace(/\.[0-9a-f]{8}-/, '.00000000-');
    for (const name of [left, ofOtherHost, 'a.bin.tmp', `b.${left}`, 'a.bin.notes.tmp']) {
      writeFileSync(join(folder, name), 'x');
    }
    const second = new PendingFile(path);
    second.discard();
    expect(readdirSync(folder).sort()).toEqual(
      [ofOtherHost, ownName, 'a.bin.tmp', `b.${left}`, 'a.bin.notes.tmp'].sort(),
    );
    own.commit();
    expect(readdirSync(folder)).toContain('a.bin');
  });

  test('two files for one path do not mix: the last one to be complete stays', () => {
    const path = join(folder, 'a.bin');
    const [first, second] = [new PendingFile(path), new PendingFile(path)];
    first.write(Buffer.from('first'));
    second.write(Buffer.from('second'));
    second.commit();
    first.commit();
    expect(readFileSync(path, 'utf8')).toBe('first');
    expect(readdirSync(folder)).toEqual(['a.bin']);
  });
});

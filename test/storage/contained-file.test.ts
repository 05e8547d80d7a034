import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ContainedFile } from '../../src/storage/contained-file.ts';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'edgepack-contained-'));
  folder = join(root, 'model');
  mkdirSync(join(folder, 'weights'), { recursive: true });
  writeFileSync(join(folder, 'a.bin'), 'inside');
  writeFileSync(join(folder, 'weights', 'b.bin'), 'nested');
  writeFileSync(join(root, 'secret'), 'outside');
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const onPosix = process.platform !== 'win32';

describe('inside the folder', () => {
  test.each(['a.bin', './a.bin', 'weights/../a.bin'])('%s is judged by its words', (location) => {
    const open = () => new ContainedFile(folder, location);
    if (location.includes('..')) expect(open).toThrow(/leads out of the folder/);
    else expect(Buffer.from(open().read(1, 3)).toString()).toBe('nsi');
  });

  test('a nested file, a range of it, its pieces and its checksum', () => {
    const file = new ContainedFile(folder, 'weights/b.bin');
    expect(file.sizeBytes).toBe(6);
    expect(Buffer.from(file.read(2, 4)).toString()).toBe('sted');
    expect(Buffer.concat([...file.readPieces(0, 6)]).toString()).toBe('nested');
    expect(file.sha1()).toBe(createHash('sha1').update('nested').digest('hex'));
  });

  test.skipIf(!onPosix)('a symbolic link that stays inside is followed', () => {
    symlinkSync('weights/b.bin', join(folder, 'link'));
    expect(Buffer.from(new ContainedFile(folder, 'link').read(0, 6)).toString()).toBe('nested');
  });
});

describe('refused', () => {
  test.each([
    ['', /is no file name/],
    ['..', /leads out/],
    ['../secret', /leads out/],
    ['weights/../../secret', /leads out/],
    ['/etc/passwd', /absolute/],
    ['//host/share', /absolute/],
    ['..\\secret', /backslash/],
    ['C:\\Windows\\win.ini', /backslash/],
    ['C:win.ini', /URL or names a drive/],
    ['https://example.com/w', /URL/],
    ['file:///etc/passwd', /URL/],
    ['weights', /not a regular file/],
    ['weights/', /is no file name/],
    ['weights//b.bin', /is no file name/],
    ['.', /is no file name/],
    ['a.bin\0.txt', /control character/],
    ['a\n.bin', /control character/],
    ['x'.repeat(5_000_000), /longer than any path/],
  ])('location %.20j', (location, message) => {
    const open = () => new ContainedFile(folder, location);
    expect(open).toThrow(message);
    expect(open).toThrow(expect.objectContaining({ code: 'model-unsafe', hint: expect.any(String) }));
    try {
      open();
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(300);
      expect((error as Error).message).not.toContain('\n');
    }
  });

  test('a missing file', () => {
    expect(() => new ContainedFile(folder, 'none.bin')).toThrow(
      expect.objectContaining({ code: 'model-unreadable', message: "its data file 'none.bin' is missing" }),
    );
  });

  test.skipIf(!onPosix)('symbolic links out of the folder, of files and of folders, unless allowed', () => {
    symlinkSync('../secret', join(folder, 'link'));
    symlinkSync('..', join(folder, 'up'));
    for (const location of ['link', 'up/secret']) {
      expect(() => new ContainedFile(folder, location)).toThrow(/symbolic link out of the folder/);
      expect(Buffer.from(new ContainedFile(folder, location, { allowLinks: true }).read(0, 7)).toString()).toBe(
        'outside',
      );
    }
  });

  test('hard links, unless allowed', () => {
    linkSync(join(root, 'secret'), join(folder, 'hard'));
    expect(() => new ContainedFile(folder, 'hard')).toThrow(/hard link/);
    expect(new ContainedFile(folder, 'hard', { allowLinks: true }).sizeBytes).toBe(7);
  });

  test.skipIf(!onPosix)('a pipe, without waiting for it, and a device', () => {
    expect(spawnSync('mkfifo', [join(folder, 'pipe')]).status).toBe(0);
    symlinkSync('/dev/zero', join(folder, 'device'));
    for (const allowLinks of [false, true]) {
      expect(() => new ContainedFile(folder, 'pipe', { allowLinks })).toThrow(/not a regular file/);
      expect(() => new ContainedFile(folder, 'device', { allowLinks })).toThrow(/not a regular file|symbolic link out/);
    }
  });

  test('a file that changes while it is in use', () => {
    const file = new ContainedFile(folder, 'a.bin');
    appendFileSync(join(folder, 'a.bin'), 'more');
    expect(() => file.read(0, 1)).toThrow(/changed while the model was in use/);
  });

  test.skipIf(!onPosix)('a link that takes the place of the file later', () => {
    const file = new ContainedFile(folder, 'a.bin');
    rmSync(join(folder, 'a.bin'));
    symlinkSync('../secret', join(folder, 'a.bin'));
    expect(() => file.read(0, 1)).toThrow(expect.objectContaining({ code: 'model-unreadable' }));
  });
});

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { writeModel } from '../../src/formats/onnx/write-model.ts';
import { pack, unpack } from '../../src/pipeline/pack-model.ts';
import { diskFiles } from '../../src/storage/file-layer.ts';
import { newPath, writeJournal } from '../../src/storage/output-journal.ts';

const zoo = join(import.meta.dirname, '..', '..', '..', 'shared', 'zoo');
const folder = () => mkdtempSync(join(tmpdir(), 'edgepack-pack-'));
const models = (path: string): string[] => {
  try {
    return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.onnx'));
  } catch {
    return [];
  }
};
const smallest = models(zoo)
  .map((name) => ({ name, path: join(zoo, name), sizeBytes: readFileSync(join(zoo, name)).byteLength }))
  .sort((a, b) => a.sizeBytes - b.sizeBytes)[0];

describe.skipIf(smallest === undefined)('pack and unpack', () => {
  it('give the same bytes back, in a smaller file', async () => {
    const cwd = folder();
    const packed = await pack(smallest!.path, join(cwd, 'm.epk'));
    expect(packed.epk.sizeBytes).toBeLessThan(packed.onnx.sizeBytes);
    const unpacked = await unpack(join(cwd, 'm.epk'), join(cwd, 'new', 'm.onnx'));
    expect(readFileSync(join(cwd, 'new', 'm.onnx')).equals(readFileSync(smallest!.path))).toBe(true);
    expect(unpacked.onnx.sha256).toBe(packed.onnx.sha256);
    expect(unpacked.epk).toEqual(packed.epk);
  });

  it('carry external data under its own name', async () => {
    const cwd = folder();
    const before = join(cwd, 'before');
    mkdirSync(before);
    writeModel(readModel(smallest!.path), join(before, 'm.onnx'), { externalData: { thresholdBytes: 256 } });
    const names = readdirSync(before).sort();
    expect(names).toHaveLength(2);
    const packed = await pack(join(before, 'm.onnx'), join(cwd, 'm.epk'));
    expect(packed.onnx.sizeBytes).toBe(
      names.reduce((sum, name) => sum + readFileSync(join(before, name)).byteLength, 0),
    );
    await unpack(join(cwd, 'm.epk'), join(cwd, 'after', 'm.onnx'));
    expect(readdirSync(join(cwd, 'after')).sort()).toEqual(names);
    for (const name of names) {
      expect(readFileSync(join(cwd, 'after', name)).equals(readFileSync(join(before, name))), name).toBe(true);
    }
    expect(() => readModel(join(cwd, 'after', 'm.onnx'))).not.toThrow();
  });

  it('overwrite nothing unless forced to', async () => {
    const cwd = folder();
    const epk = join(cwd, 'm.epk');
    writeFileSync(epk, 'mine');
    await expect(pack(smallest!.path, epk)).rejects.toMatchObject({ code: 'output-exists', exitCode: 2 });
    expect(readFileSync(epk, 'utf8')).toBe('mine');
    await pack(smallest!.path, epk, { force: true });
    writeFileSync(join(cwd, 'm.onnx'), 'mine');
    await expect(unpack(epk, join(cwd, 'm.onnx'))).rejects.toMatchObject({ code: 'output-exists' });
    expect(readFileSync(join(cwd, 'm.onnx'), 'utf8')).toBe('mine');
    await unpack(epk, join(cwd, 'm.onnx'), { force: true });
    expect(readFileSync(join(cwd, 'm.onnx')).equals(readFileSync(smallest!.path))).toBe(true);
    expect(readdirSync(cwd).sort()).toEqual(['m.epk', 'm.onnx']);
  });

  it('refuse what is no model and no .epk, and leave nothing behind', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'x.onnx'), 'not a model');
    await expect(pack(join(cwd, 'x.onnx'), join(cwd, 'x.epk'))).rejects.toMatchObject({ exitCode: 3 });
    await expect(unpack(join(cwd, 'x.onnx'), join(cwd, 'y.onnx'))).rejects.toMatchObject({ code: 'epk-unreadable' });
    await expect(unpack(join(cwd, 'none.epk'), join(cwd, 'y.onnx'))).rejects.toMatchObject({ code: 'file-not-found' });
    expect(readdirSync(cwd)).toEqual(['x.onnx']);
    rmSync(cwd, { recursive: true });
  });
});

describe('a folder in which a run was killed while it put its files in place', () => {
  const model = join(import.meta.dirname, '..', '..', 'fixtures', 'digits-dense.onnx');

  /** As the run leaves it: the journal is written, its file waits, an old one is still there. */
  function halfDone(name: string): string {
    const cwd = folder();
    const id = 'edgepack-00000000-1-00000000-000000000000';
    writeFileSync(join(cwd, name), 'old');
    writeFileSync(newPath(cwd, name, id), 'new');
    const sha256 = createHash('sha256').update('new').digest('hex');
    writeJournal(cwd, { version: 1, id, files: [{ name, sizeBytes: 3, sha256, replaces: true }] }, diskFiles);
    return cwd;
  }

  it.each(['pack', 'unpack'] as const)('is completed by %s before it looks for files in its way', async (command) => {
    const cwd = halfDone('other.onnx');
    const epk = join(folder(), 'm.epk');
    await pack(model, command === 'pack' ? join(cwd, 'm.epk') : epk);
    if (command === 'unpack') await unpack(epk, join(cwd, 'm.onnx'));
    expect(readFileSync(join(cwd, 'other.onnx'), 'utf8')).toBe('new');
    expect(readdirSync(cwd).sort()).toEqual(command === 'pack' ? ['m.epk', 'other.onnx'] : ['m.onnx', 'other.onnx']);
  });
});

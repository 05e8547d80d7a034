import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/index.ts';

describe('diagnose', () => {
  it('finds the engine, the image library and the rest in this checkout', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgepack-diagnose-'));
    const { ok, checks } = await diagnose({ cacheFolder: join(folder, 'not', 'there') });
    rmSync(folder, { recursive: true, force: true });
    expect(ok, JSON.stringify(checks)).toBe(true);
    const details = Object.fromEntries(checks.map(({ name, detail }) => [name, detail]));
    expect(details).toMatchObject({
      node: process.versions.node,
      engine: expect.stringMatching(/^ONNX Runtime \d+\.\d+/),
      images: expect.stringMatching(/^sharp \d/),
      cache: expect.stringMatching(/there, to be made$/),
    });
  });

  // Root may write everywhere.
  it.skipIf(process.getuid?.() === 0)('says that a folder cannot be written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgepack-diagnose-'));
    chmodSync(folder, 0o500);
    const { ok, checks } = await diagnose({ cacheFolder: join(folder, 'cache') });
    rmSync(folder, { recursive: true, force: true });
    expect(ok).toBe(false);
    expect(checks.at(-1)).toMatchObject({ ok: false, detail: `${folder} cannot be written` });
  });
});

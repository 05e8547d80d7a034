import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MODEL_CACHE_BYTES } from '../../src/device/agent/device-protocol.ts';
import { ModelCache } from '../../src/device/agent/model-cache.ts';

let folder: string;
let models: string;
let cache: ModelCache;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'model-cache-'));
  models = join(folder, 'models');
  mkdirSync(join(folder, 'run'));
  cache = new ModelCache(models, join(folder, 'run'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fileOf = (name: string, text: string) => ({
  name,
  sizeBytes: text.length,
  sha256: createHash('sha256').update(text).digest('hex'),
});

async function send(...files: readonly (readonly [name: string, text: string])[]): Promise<string> {
  expect(await cache.open(files.map(([name, text]) => fileOf(name, text)))).toBeUndefined();
  for (const [i, [, text]] of files.entries()) {
    for (const letter of text) cache.put(i, Buffer.from(letter));
  }
  return cache.close();
}

describe('models on a device', () => {
  it('arrive in pieces and are found again', async () => {
    const path = await send(['model.onnx', 'graph'], ['data/weights.bin', 'weights']);
    expect(readFileSync(path, 'utf8')).toBe('graph');
    expect(readFileSync(join(dirname(path), 'data/weights.bin'), 'utf8')).toBe('weights');
    const files = [fileOf('model.onnx', 'graph'), fileOf('data/weights.bin', 'weights')];
    expect(await cache.open(files)).toBe(path);
    expect(readdirSync(join(folder, 'run'))).toEqual([]);
  });

  it('are sent anew where what is there is damaged', async () => {
    const path = await send(['model.onnx', 'graph']);
    writeFileSync(path, 'grape');
    expect(await cache.open([fileOf('model.onnx', 'graph')])).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });

  it('are refused where they did not arrive as they were sent', async () => {
    const file = fileOf('model.onnx', 'graph');
    await cache.open([file]);
    cache.put(0, Buffer.from('grap'));
    await expect(cache.close()).rejects.toThrow(/did not arrive/);
    await cache.open([file]);
    cache.put(0, Buffer.from('grape'));
    await expect(cache.close()).rejects.toThrow(/did not arrive/);
    await cache.open([file]);
    expect(() => cache.put(0, Buffer.from('graphs'))).toThrow(/more came/);
    expect(() => cache.put(1, Buffer.from('x'))).toThrow(/nobody sends/);
    await expect(new ModelCache(models, folder).close()).rejects.toThrow(/did not arrive/);
    expect(existsSync(models)).toBe(false);
  });

  it.each(['../x', '/etc/x', 'a/../../x', 'a//x', '.', '', 'a\\x', 'a\0'])('stay in their folder: %j', async (name) => {
    await expect(cache.open([fileOf(name, 'x')])).rejects.toThrow(/leads elsewhere/);
  });

  it('go when they take too much, the oldest first, but none of this run', async () => {
    const own = dirname(await send(['model.onnx', 'mine']));
    const others = ['old', 'new'].map((name, i) => {
      const other = join(models, name);
      mkdirSync(other);
      writeFileSync(join(other, 'model.onnx'), '');
      truncateSync(join(other, 'model.onnx'), Math.round(0.6 * MODEL_CACHE_BYTES));
      utimesSync(other, 1000 + i, 1000 + i);
      return other;
    });
    utimesSync(own, 1, 1);
    cache.prune();
    expect([own, ...others].map((path) => existsSync(path))).toEqual([true, false, true]);
  });
});

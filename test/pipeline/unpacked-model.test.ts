import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compress, evaluate, inspect, pack, predict } from '../../src/index.ts';
import { identityText } from '../../src/storage/process-identity.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const conv = join(fixtures, 'digits-conv.onnx');
const data = join(fixtures, 'digits.npz');

describe('a packed model', () => {
  let folder: string;
  let epk: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'packed-model-'));
    epk = join(folder, 'digits-conv.epk');
    await pack(conv, epk);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is inspected and predicted as what is in it', async () => {
    const { model, ...found } = await inspect(epk);
    const { model: original, ...expected } = await inspect(conv);
    expect(found).toEqual(expected);
    expect(model).toEqual({ ...original, path: epk });
    const options = { target: 'rpi4', engine: 'ncnn' };
    expect((await predict(epk, options)).prediction).toEqual((await predict(conv, options)).prediction);
  });

  it('is evaluated, alone and against another one, and leaves nothing behind', async () => {
    const { model, against, comparison } = await evaluate(epk, { data, against: conv, exact: false, threads: 1 });
    expect(comparison?.host?.agreement?.value).toBe(1);
    expect(model.path).toBe(epk);
    expect(model.sizeBytes).toBeLessThan(against!.sizeBytes);
    const own = `edgepack-${identityText()}-`;
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(own))).toEqual([]);
  });

  it('that is damaged or not there is named', async () => {
    const damaged = join(folder, 'damaged.epk');
    writeFileSync(damaged, 'EPK?');
    await expect(inspect(damaged)).rejects.toMatchObject({ code: 'epk-unreadable', location: { file: damaged } });
    await expect(predict(join(folder, 'none.epk'))).rejects.toMatchObject({ code: 'file-not-found' });
  });

  it('is told from a broken one where it is of no use', async () => {
    const output = join(folder, 'out');
    await expect(compress(epk, { output, dryRun: true })).rejects.toMatchObject({
      code: 'model-unreadable',
      hint: '"edgepack unpack" gets the .onnx out of it',
    });
  });
});

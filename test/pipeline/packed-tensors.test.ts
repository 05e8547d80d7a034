import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onnx } from 'onnx-proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNpy } from '../../src/data/npy-array.ts';
import { pack } from '../../src/pipeline/pack-model.ts';
import { listPackedTensors, unpackTensor } from '../../src/pipeline/packed-tensors.ts';

const model = fileURLToPath(new URL('../../fixtures/digits-conv.onnx', import.meta.url));
let folder: string;
let epk: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-tensors-'));
  epk = join(folder, 'm.epk');
  await pack(model, epk);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('tensors of an .epk', () => {
  it('are listed as the model states them', async () => {
    const tensors = await listPackedTensors(epk);
    const { graph } = onnx.ModelProto.decode(readFileSync(model));
    const initializers = graph!.initializer!.filter((tensor) => tensor.rawData!.length >= 16);
    expect(tensors.length).toBeGreaterThan(3);
    expect(tensors.map(({ name, shape }) => ({ name, shape }))).toEqual(
      initializers.map(({ name, dims }) => ({ name, shape: dims!.map(Number) })),
    );
  });

  it('are written as NumPy arrays and as plain elements, one by one', async () => {
    const [tensor] = await listPackedTensors(epk);
    const npy = join(folder, 'w.npy');
    const bin = join(folder, 'w.bin');
    expect(await unpackTensor(epk, tensor!.name, npy)).toMatchObject({ tensor, path: npy });
    await unpackTensor(epk, tensor!.name, bin);
    const array = await openNpy(npy);
    expect(array.shape).toEqual(tensor!.shape);
    const elements = readFileSync(bin);
    expect(elements.length).toBe(tensor!.sizeBytes);
    expect(readFileSync(npy).subarray(-elements.length)).toEqual(elements);
    expect(readFileSync(model).includes(elements)).toBe(true);
  });

  it('that are not there, outputs that are, and damaged files are refused', async () => {
    await expect(unpackTensor(epk, 'no such', join(folder, 'x.npy'))).rejects.toMatchObject({ code: 'usage' });
    const taken = join(folder, 'taken.bin');
    writeFileSync(taken, 'old');
    const [tensor] = await listPackedTensors(epk);
    await expect(unpackTensor(epk, tensor!.name, taken)).rejects.toMatchObject({ code: 'output-exists' });
    expect(readFileSync(taken, 'utf8')).toBe('old');
    await unpackTensor(epk, tensor!.name, taken, { force: true });
    const damaged = join(folder, 'damaged.epk');
    writeFileSync(damaged, readFileSync(epk).subarray(0, -1));
    await expect(listPackedTensors(damaged)).rejects.toMatchObject({ code: 'epk-unreadable' });
    expect(readdirSync(folder)).not.toContain('x.npy');
  });
});

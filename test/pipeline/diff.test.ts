import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../src/formats/onnx/write-model.ts';
import type { Model } from '../../src/ir/model.ts';
import { compress } from '../../src/pipeline/compress.ts';
import { diff } from '../../src/pipeline/diff.ts';
import type { DiffOptions } from '../../src/pipeline/diff-options.ts';
import { type Diff, diffSchema } from '../../src/report/diff-schema.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { zooAvailable, zooPath } from '../zoo.ts';

const fixtures = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', 'fixtures');
const conv = join(fixtures, 'digits-conv.onnx');
const data = { data: join(fixtures, 'digits.npz'), preprocess: 'mnist-0-1' } as const;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-diff-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function compared(a: string, b: string, options: DiffOptions = {}): Promise<Diff> {
  return diffSchema.parse(JSON.parse(JSON.stringify(await diff(a, b, options))));
}

function changed(name: string, change: (model: Model) => void): string {
  const model = readModel(conv);
  change(model);
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(encodeModel(model).pieces));
  return path;
}

const kinds = ({ nodes }: Diff) =>
  Object.fromEntries(
    [...new Set(nodes.changes.map(({ kind }) => kind))].map((kind) => [
      kind,
      nodes.changes.filter((change) => change.kind === kind).length,
    ]),
  );

describe('diff', () => {
  it('of a file and itself is empty, and all values are equal', async () => {
    const found = await compared(conv, conv, { run: true });
    expect([found.identical, found.nodes, found.weights]).toEqual([
      true,
      { unchanged: 20, changes: [] },
      { identical: 25, changes: [] },
    ]);
    expect(found.values!.all.length).toBe(20);
    expect(found.values!.all.every(({ maxAbsoluteError }) => maxAbsoluteError === 0)).toBe(true);
    expect(found.values!.firstDifference).toBeNull();
  });

  it('finds the layer where one changed weight lets the models part', async () => {
    const path = changed('weight.onnx', ({ graph }) => {
      const weight = [...graph.initializers].find(({ name }) => name === 'middle.weight')!;
      const numbers = weight.tensor!.toFloat32();
      numbers[0] = numbers[0]! + 1;
      weight.tensor = Tensor.float32(weight.name, weight.tensor!.dims, numbers);
    });
    const found = await compared(conv, path, data);
    expect(found.nodes.changes.map(({ kind, a }) => `${kind} ${a!.name}`)).toEqual(['changed middle']);
    const [weight] = found.weights.changes;
    expect([weight!.a!.name, found.weights.changes.length]).toEqual(['middle.weight', 1]);
    expect(weight!.distance!.maxAbsoluteError).toBeCloseTo(1, 5);
    const { all, firstDifference, samples } = found.values!;
    expect([all[firstDifference!]!.node.name, samples]).toEqual(['middle', 8]);
    expect(all.slice(0, firstDifference!).every(({ maxAbsoluteError }) => maxAbsoluteError === 0)).toBe(true);
  });

  it('feeds a model whose input has another name, and names input, metadata and operator set', async () => {
    const path = changed('input.onnx', (model) => {
      model.graph.inputs[0]!.name = 'picture';
      model.metadata.set('author', 'someone');
    });
    const found = await compared(conv, path, { run: true });
    expect(found.inputs.map(({ kind, a, b }) => [kind, a!.name, b!.name])).toEqual([['renamed', 'image', 'picture']]);
    expect(found.properties).toEqual([{ name: 'metadata author', a: null, b: 'someone' }]);
    expect([found.nodes.changes, found.identical, found.values!.firstDifference]).toEqual([[], false, null]);
  });

  it('recognises int8 with what was folded in, in an .epk, and writes a page once', async () => {
    const output = join(folder, 'out');
    await compress(conv, { target: 'rpi4', recipe: 'accurate', allowSlower: true, output, ...data });
    const page = join(folder, 'diff.html');
    const found = await compared(conv, join(output, 'digits-conv.epk'), { ...data, html: page });
    expect(kinds(found)).toEqual({ quantized: 10, removed: 1 });
    expect(found.b.fileBytes).toBeLessThan(found.b.sizeBytes);
    const weights = found.weights.changes.filter(({ a, b }) => a !== null && b?.dataType === 'int8');
    expect(weights.map(({ a }) => a!.name).sort()).toEqual([
      'depthwise.weight',
      'hidden.weight',
      'middle.weight',
      'output.weight',
      'pointwise.weight',
      'stem.weight',
    ]);
    // 8 bits per channel: about 6 dB a bit, less what the spread of the weights costs. Without the folding it would be around 0.
    for (const { distance } of weights) expect(distance!.sqnrDb).toBeGreaterThan(38);
    expect(weights.filter(({ folded }) => folded)).toHaveLength(4);
    for (const { sqnrDb } of found.values!.all) expect(sqnrDb).toBeGreaterThan(20);
    expect(existsSync(page)).toBe(true);
    await expect(diff(conv, conv, { html: page })).rejects.toMatchObject({ code: 'output-exists' });
    const mirrored = await compared(join(output, 'digits-conv.epk'), conv);
    expect(kinds(mirrored)).toEqual({ dequantized: 10, added: 1 });
  });

  it.skipIf(!zooAvailable)('recognises what a simplifier did', async () => {
    const model = zooPath('efficientnet_lite0/model.onnx');
    const found = await compared(model.replace('model.onnx', 'model-unsimplified.onnx'), model);
    expect([found.nodes.unchanged, kinds(found)]).toEqual([
      76,
      { fused: 17, 'stored-otherwise': 66, removed: 7, changed: 1 },
    ]);
    expect(found.weights.changes.filter(({ kind }) => kind === 'changed')).toEqual([]);
  });
});

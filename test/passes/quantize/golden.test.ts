import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../../src/formats/onnx/read-model.ts';
import { inferShapes } from '../../../src/ir/infer-shapes.ts';
import type { Model } from '../../../src/ir/model.ts';
import { printModel } from '../../../src/ir/print.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import type { Feeds } from '../../../src/tensor/nd-array.ts';
import { bytesOf, calibrate, noiseFeeds, onGrid, type QuantizeCases, quantized, sqnrDb } from './quantize-case.ts';

const folder = fileURLToPath(new URL('cases/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));

/** Operators that change nothing but places and shapes: which of them an engine needs is its own affair. */
const LAYOUT = [
  'Transpose',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Slice',
  'Concat',
  'ReorderInput',
  'ReorderOutput',
];

function kernelCounts(model: Model): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of model.graph.nodes()) {
    // Whether an engine turns images for a pool is its own affair as well.
    const opType = node.opType.replace(/^Nhwc/, '');
    if (!LAYOUT.includes(opType)) counts[opType] = (counts[opType] ?? 0) + 1;
  }
  return counts;
}

let engine: Engine;
let scratch: string;
beforeAll(async () => {
  engine = await startEngine();
  scratch = mkdtempSync(join(tmpdir(), 'edgepack-golden-'));
});
afterAll(async () => {
  await engine.close();
  rmSync(scratch, { recursive: true, force: true });
});

describe.each(files)('%s', async (file) => {
  const { cases } = (await import(`./cases/${file}`)) as { cases: QuantizeCases };

  it.each(Object.keys(cases))('%s', async (name) => {
    const { build, options = {}, kernels } = cases[name]!;
    const original = build().model;
    const samples = Array.from({ length: 48 }, (_, seed) => noiseFeeds(original, seed));
    const table = onGrid(await calibrate(original, engine, samples, options));
    const { model, run } = await quantized(original, table, options);

    const changes = run.changes.map(({ kind, subject, detail }) => `${kind} ${subject}: ${detail}`);
    const text = `${printModel(original)}\n${printModel(model)}\n${changes.join('\n')}\n`;
    await expect(text).toMatchFileSnapshot(`golden/${file.replace('.ts', '')}/${name.replaceAll(/[, ]+/g, '-')}.txt`);

    // What is quantized is left as it is.
    const again = await quantized(model, table, options);
    expect(again.run.changes.filter((change) => change.kind !== 'keep-float')).toEqual([]);
    inferShapes(model);
    expect(printModel(again.model)).toBe(printModel(model));

    const optimizedModelPath = join(scratch, 'optimized.onnx');
    const session = await engine.load(bytesOf(model), { optimizedModelPath });
    await session.release();
    expect(kernelCounts(readModel(optimizedModelPath))).toEqual(kernels);

    const outputs = async (bytes: Uint8Array, feeds: Feeds) => {
      const loaded = await engine.load(bytes, { exact: true });
      const result = await loaded.run(feeds);
      await loaded.release();
      return result;
    };
    const feeds = noiseFeeds(original, 99);
    const expected = await outputs(bytesOf(original), feeds);
    const actual = await outputs(bytesOf(model), feeds);
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [output, { dims, data }] of Object.entries(expected)) {
      expect(actual[output]!.dims).toEqual(dims);
      const noise = sqnrDb(data as Float32Array, actual[output]!.data as Float32Array);
      if (run.modified) expect(noise).toBeGreaterThan(30);
    }
  });
});

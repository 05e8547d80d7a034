import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import type { Model } from '../../../src/ir/model.ts';
import { printModel } from '../../../src/ir/print.ts';
import { verify } from '../../../src/ir/verify.ts';
import type { Pass } from '../../../src/passes/pass.ts';
import { runPasses } from '../../../src/passes/run-passes.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import type { Feeds, NdArray } from '../../../src/tensor/nd-array.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { bytesOf } from './optimize-model.ts';
import { relativeDifference } from './relative-difference.ts';

interface CaseFile {
  readonly pass?: () => Pass;
  readonly passes?: () => Pass[];
  readonly cases: Readonly<Record<string, () => GraphBuilder>>;
}

const folder = fileURLToPath(new URL('cases/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));

/** Feeds of seeded noise (floats) or twos (integers); every symbolic dimension gets a size of its own. */
function feedsFor(model: Model, sizes: readonly number[]): Feeds {
  const symbols = new Map<string, number>();
  const feeds: Record<string, NdArray> = {};
  let seed = 7;
  for (const { name, shape, elemType } of model.graph.inputs) {
    const dims = shape!.map((dim) => {
      if (typeof dim === 'number') return dim;
      const size = symbols.get(dim!) ?? sizes[symbols.size % sizes.length]!;
      symbols.set(dim!, size);
      return size;
    });
    const count = dims.reduce((product, dim) => product * dim, 1);
    const noise = () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed / 2 ** 31 - 1;
    };
    if (elemType === DataType.int64)
      feeds[name] = { dataType: elemType, dims, data: new BigInt64Array(count).fill(2n) };
    else if (elemType === DataType.int32)
      feeds[name] = { dataType: elemType, dims, data: new Int32Array(count).fill(2) };
    else feeds[name] = { dataType: DataType.float32, dims, data: Float32Array.from({ length: count }, noise) };
  }
  return feeds;
}

describe.each(files)('%s', async (file) => {
  const { cases, pass, passes } = (await import(`./cases/${file.slice(0, -3)}.ts`)) as CaseFile;
  const list = () => passes?.() ?? [pass!()];
  const context = { logger: silentLogger };
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.close());

  it.each(Object.keys(cases))('%s', async (name) => {
    const original = cases[name]!().model;
    const model = cases[name]!().model;
    await runPasses(model, list(), context);
    verify(model);
    const text = `${printModel(original)}\n${printModel(model)}`;
    await expect(text).toMatchFileSnapshot(`golden/${file.replace('.ts', '')}/${name}.txt`);

    const again = await runPasses(model, list(), context);
    expect(again.flatMap((run) => run.changes)).toEqual([]);

    const before = await engine.load(bytesOf(original), { optimization: 'disabled' });
    const after = await engine.load(bytesOf(model), { optimization: 'disabled' });
    for (const sizes of [[1], [3, 2]]) {
      const feeds = feedsFor(original, sizes);
      const [expected, actual] = [await before.run(feeds), await after.run(feeds)];
      expect(Object.keys(actual)).toEqual(Object.keys(expected));
      for (const output of Object.keys(expected)) {
        expect(relativeDifference(expected[output]!, actual[output]!)).toBeLessThan(1e-5);
      }
    }
    await before.release();
    await after.release();
  });
});

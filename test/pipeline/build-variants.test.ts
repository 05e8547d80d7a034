import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/diagnostics/logger.ts';
import { syntheticFeeds } from '../../src/evaluation/synthetic-feeds.ts';
import { cloneModel } from '../../src/formats/onnx/clone-model.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../src/formats/onnx/write-model.ts';
import { inferShapes } from '../../src/ir/infer-shapes.ts';
import type { Model } from '../../src/ir/model.ts';
import { optimizePasses } from '../../src/passes/optimize/optimize-passes.ts';
import { insertQdq } from '../../src/passes/quantize/insert-qdq.ts';
import { placeQuantization } from '../../src/passes/quantize/placement.ts';
import { runPasses } from '../../src/passes/run-passes.ts';
import { VariantBuilder } from '../../src/pipeline/build-variants.ts';
import { profileLayers } from '../../src/pipeline/profile-layers.ts';
import type { StepsResult } from '../../src/pipeline/run-steps.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';

const conv = fileURLToPath(new URL('../../fixtures/digits-conv.onnx', import.meta.url));
const context = { logger: silentLogger };
const bytesOf = (model: Model) => Buffer.concat(encodeModel(model).pieces);

describe('variants of a compressed model', () => {
  let folder: string;
  let engine: Engine;
  let done: StepsResult;
  let builder: VariantBuilder;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'variants-'));
    engine = await startEngine();
    const float = readModel(conv);
    await runPasses(float, optimizePasses(), context);
    inferShapes(float);
    const placement = placeQuantization(float);
    const activations = new Map(placement.quantizedValues.map(({ name }) => [name, { min: -4, max: 4 }]));
    const table = { sampleCount: 1, activations, channelMeans: new Map() };
    const quantizeWithout = async (nodesToExclude: readonly string[]) => {
      const model = cloneModel(float);
      await runPasses(model, [insertQdq(table, { nodesToExclude: [...nodesToExclude] })], context);
      return model;
    };
    const layers = [...placement.roles]
      .filter(([, role]) => role === 'weighted')
      .map(([node]) => ({ node: node.name, opType: node.opType, output: node.output.name, keptFloat: undefined }));
    done = {
      model: await quantizeWithout([]),
      float,
      quantizeWithout,
      layers,
      integerKernels: undefined,
      steps: [],
      warnings: [],
    };
    builder = new VariantBuilder(done, folder, context);
  });
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are what they say, and all but the float one are as small', async () => {
    const recipe = builder.recipe(bytesOf(done.model));
    expect(recipe).toMatchObject({ execution: 'int8', sameKernels: false, inFloat: [] });
    const [weights, ...more] = await builder.weights();
    expect(more).toEqual([]);
    expect(weights).toMatchObject({ execution: 'weights', sameKernels: true });
    const [mixed] = await builder.withFloat(['stem', 'middle']);
    expect(mixed).toMatchObject({ execution: 'mixed', detail: `2 of ${done.layers.length} layers in float` });
    for (const { bytes } of [weights!, mixed!]) expect(bytes.length).toBeLessThan(1.05 * recipe.bytes.length);
    expect(builder.float()!.bytes.length).toBeGreaterThan(3 * recipe.bytes.length);
    const kernels = async ({ path }: { readonly path: string }) => {
      const session = await engine.load(path, { profile: true });
      await session.run(syntheticFeeds(session.inputs, 1));
      const records = await session.endProfiling();
      await session.release();
      return records.filter(({ opType }) => /^(QLinearConv|QGemm)$/.test(opType)).length;
    };
    expect(await kernels(recipe)).toBe(done.layers.length);
    expect(await kernels(mixed!)).toBe(done.layers.length - 2);
    expect(await kernels(weights!)).toBe(0);
  });

  it('are none where the graph was changed once it was int8', async () => {
    const model = cloneModel(done.model);
    const [first] = [...model.graph.nodes()].filter((node) => node.is('Conv'));
    first!.opType = 'ConvTranspose';
    const changed = new VariantBuilder({ ...done, model }, folder, context);
    expect(await changed.weights()).toEqual([]);
    expect(await changed.withFloat(['stem'])).toEqual([]);
    expect(changed.float()).toMatchObject({ execution: 'float', sameKernels: true });
  });

  it('are planned from the time of every layer in both forms', async () => {
    const session = await engine.load(conv);
    const feeds = syntheticFeeds(session.inputs, 1);
    await session.release();
    const options = { engine, threads: 1, feeds, folder, typicalMs: 0.05, signal: undefined };
    const names = done.layers.map(({ node }) => node);
    const times = await profileLayers({ float: done.float!, int8: done.model }, names, options);
    expect(times!.map(({ name }) => name)).toEqual(names);
    for (const { int8Ms, floatMs, borderMs } of times!) {
      for (const ms of [int8Ms, floatMs, borderMs]) expect(ms).toBeGreaterThan(0);
    }
    expect(await profileLayers({ float: done.float!, int8: done.model }, [...names, 'none'], options)).toBeUndefined();
  });
});

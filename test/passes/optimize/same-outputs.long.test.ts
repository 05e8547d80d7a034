import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EdgepackError } from '../../../src/diagnostics/edgepack-error.ts';
import { decodeMessage, type TensorProto } from '../../../src/formats/onnx/proto.ts';
import { decodeModel, readModel } from '../../../src/formats/onnx/read-model.ts';
import type { Model } from '../../../src/ir/model.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { type ElementArray, elementArrayOf, type Feeds, type NdArray } from '../../../src/tensor/nd-array.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { conformanceFiles, hasConformance } from '../../formats/onnx/conformance-archive.ts';
import { zooAvailable, zooDataset, zooEntries, zooPath } from '../../zoo.ts';
import { bytesOf, optimize } from './optimize-model.ts';
import { relativeDifference } from './relative-difference.ts';

/** Two samples as one batch. */
function batchOfTwo(a: Feeds, b: Feeds): Feeds {
  const entries = Object.entries(a).map(([name, array]): [string, NdArray] => {
    const data = array.data.slice() as Float32Array;
    const joined = new (data.constructor as Float32ArrayConstructor)(2 * data.length);
    joined.set(data);
    joined.set(b[name]!.data as Float32Array, data.length);
    return [name, { ...array, dims: [2 * array.dims[0]!, ...array.dims.slice(1)], data: joined }];
  });
  return Object.fromEntries(entries);
}

async function run(engine: Engine, bytes: Uint8Array, feeds: Feeds): Promise<Feeds> {
  const session = await engine.load(bytes, { optimization: 'disabled' });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

describe.skipIf(!zooAvailable)('the optimised zoo', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.close());

  const cases = zooEntries.flatMap((entry) =>
    [entry.model, ...(entry.variants ?? []).map((variant) => variant.model)].map((path) => [path, entry] as const),
  );
  it.each(cases)('%s gives the outputs of the original', async (path, entry) => {
    const dataset = await zooDataset(entry, 'evaluation', 12);
    const model = readModel(zooPath(path));
    await optimize(model, engine);
    const original = await engine.load(zooPath(path));
    const optimized = await engine.load(bytesOf(model));
    const isBatched = typeof original.inputs[0]!.shape[0] === 'string';
    let worst = 0;
    for (let i = 0; i < dataset.count; i += 2) {
      const first = await dataset.feed(i);
      const feeds = isBatched ? batchOfTwo(first, await dataset.feed(i + 1)) : first;
      const [expected, actual] = [await original.run(feeds), await optimized.run(feeds)];
      for (const name of Object.keys(expected)) {
        worst = Math.max(worst, relativeDifference(expected[name]!, actual[name]!));
      }
    }
    console.log(`${path}: largest difference ${worst.toExponential(2)} of the largest output`);
    expect(worst).toBeLessThan(1e-5);
  });
});

describe.skipIf(!zooAvailable)('the optimised transformer', () => {
  it('gives the outputs of the original for other batch sizes and lengths', async () => {
    const engine = await startEngine();
    const path = zooPath('minilm_banking77/model.onnx');
    const model = readModel(path);
    await optimize(model, engine);
    const [original, optimized] = [await engine.load(path), await engine.load(bytesOf(model))];
    for (const dims of [
      [1, 1],
      [1, 9],
      [5, 3],
      [2, 128],
    ]) {
      const count = dims[0]! * dims[1]!;
      const tokens = (token: (i: number) => number) => ({
        dataType: DataType.int64,
        dims,
        data: BigInt64Array.from({ length: count }, (_, i) => BigInt(token(i))),
      });
      const feeds = {
        input_ids: tokens((i) => (i * 7919) % 30000),
        attention_mask: tokens((i) => (i % 5 === 4 ? 0 : 1)),
      };
      const [expected, actual] = [await original.run(feeds), await optimized.run(feeds)];
      expect(relativeDifference(expected.logits!, actual.logits!)).toBeLessThan(1e-5);
    }
    await engine.close();
  });
});

const onnxTensor = (bytes: Buffer): NdArray | undefined => {
  const proto = decodeMessage<TensorProto>('TensorProto', bytes);
  if (elementArrayOf(proto.dataType ?? 0) === undefined || proto.dataType === DataType.bfloat16) return undefined;
  const model = decodeModel(wrapTensor(bytes));
  const tensor = [...model.graph.initializers][0]?.tensor;
  return tensor?.toNdArray();
};

/** A model message whose graph holds one initializer: field 7 (graph) around field 5 (initializer). */
function wrapTensor(bytes: Buffer): Buffer {
  const field = (id: number, content: Buffer) => {
    const header: number[] = [id * 8 + 2];
    let length = content.length;
    for (; length >= 128; length = Math.floor(length / 128)) header.push((length % 128) | 128);
    header.push(length);
    return Buffer.concat([Buffer.from(header), content]);
  };
  // A second name field decides: the tensors of the data files may have none.
  const named = Buffer.concat([bytes, Buffer.from([8 * 8 + 2, 1, 0x74])]);
  return field(7, field(5, named));
}

function feedsOf(model: Model, folder: string, files: ReadonlyMap<string, Buffer>): Feeds | undefined {
  const feeds: Record<string, NdArray> = {};
  const inputs = model.graph.inputs.filter((value) => value.tensor === undefined);
  for (const [i, value] of inputs.entries()) {
    if (value.type?.kind !== 'tensor') return undefined;
    const data = files.get(`${folder}/test_data_set_0/input_${i}.pb`);
    const array = data === undefined ? undefined : onnxTensor(data);
    if (array === undefined) return undefined;
    feeds[value.name] = array;
  }
  return feeds;
}

type Variant = 'as they are' | 'with integer inputs as constants' | 'with all inputs but the first as constants';

/** Lets inputs of a case be constants for the optimiser too. */
function bindInputs(model: Model, feeds: Feeds, variant: Variant): Feeds {
  const rest: Record<string, NdArray> = { ...feeds };
  for (const [i, value] of [...model.graph.inputs].entries()) {
    const array = feeds[value.name];
    if (array === undefined || (variant.startsWith('with all') ? i === 0 : array.dataType !== DataType.int64)) continue;
    delete rest[value.name];
    model.graph.inputs.splice(model.graph.inputs.indexOf(value), 1);
    value.tensor = tensorOf(value.name, array);
    model.graph.initializers.add(value);
  }
  return rest;
}

function tensorOf(name: string, array: NdArray) {
  return Tensor.fromArray(name, array.dataType, array.dims, array.data as ElementArray);
}

describe.skipIf(!hasConformance)('the optimised conformance models', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.close());

  it.each<Variant>(['as they are', 'with integer inputs as constants', 'with all inputs but the first as constants'])(
    '%s give the outputs of the originals',
    async (variant) => {
      const files = conformanceFiles();
      const counts = { models: 0, notRun: 0, crashed: 0, compared: 0, changed: 0 };
      const wrong: string[] = [];
      for (const [path, bytes] of files) {
        if (!path.endsWith('/model.onnx')) continue;
        counts.models++;
        const model = decodeModel(bytes);
        let feeds = feedsOf(model, path.slice(0, path.lastIndexOf('/')), files);
        if (feeds === undefined) {
          counts.notRun++;
          continue;
        }
        if (variant !== 'as they are') {
          feeds = bindInputs(model, feeds, variant);
          if (model.irVersion < 4 || [...model.graph.initializers].length === 0) continue;
        }
        let expected: Feeds;
        try {
          expected = await run(engine, bytesOf(model), feeds);
        } catch (error) {
          counts.notRun++;
          // Some models bring the engine down; the next one gets a new process.
          if ((error as EdgepackError).code === 'engine-failed') {
            counts.crashed++;
            await engine.close();
            engine = await startEngine();
          }
          continue;
        }
        try {
          const runs = await optimize(model, engine);
          if (runs.some((pass) => pass.modified)) counts.changed++;
          const actual = await run(engine, bytesOf(model), feeds);
          counts.compared++;
          for (const [name, array] of Object.entries(expected)) {
            const difference = relativeDifference(array, actual[name]!);
            if (!(difference <= 1e-5)) wrong.push(`${path} ${name}: ${difference}`);
          }
        } catch (error) {
          wrong.push(`${path}: ${(error as Error).message}`);
        }
      }
      console.log(variant, counts);
      expect(wrong).toEqual([]);
      expect(counts.compared).toBeGreaterThan(variant === 'as they are' ? 1000 : 200);
    },
  );
});

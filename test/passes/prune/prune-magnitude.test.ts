import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { readModel } from '../../../src/formats/onnx/read-model.ts';
import { Model } from '../../../src/ir/model.ts';
import { attr } from '../../../src/ir/node.ts';
import { tensorType } from '../../../src/ir/types.ts';
import type { Value } from '../../../src/ir/value.ts';
import { type PruneMagnitudeOptions, pruneMagnitude } from '../../../src/passes/prune/prune-magnitude.ts';
import { runPasses } from '../../../src/passes/run-passes.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { numberToFloat16 } from '../../../src/tensor/float16.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { zooAvailable, zooPath } from '../../zoo.ts';

const fixtures = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'fixtures');

async function prune(model: Model, options: PruneMagnitudeOptions) {
  const [run] = await runPasses(model, [pruneMagnitude(options)], { logger: silentLogger });
  return run!;
}

/** A chain of matrix products of the given weights, each with a bias. */
function chain(layers: readonly Float32Array[]): Model {
  const model = Model.create(17, 8);
  const { graph } = model;
  let x: Value = graph.addInput('x', tensorType(DataType.float32, [1, 8]));
  for (const [i, values] of layers.entries()) {
    const w = graph.addInitializer(Tensor.float32(`w${i}`, [8, values.length / 8], values));
    const bias = graph.addInitializer(
      Tensor.float32(`b${i}`, [values.length / 8], new Float32Array(values.length / 8).fill(1e-9)),
    );
    x = graph.create('Gemm', [x, w, bias], { name: `layer${i}` }).output;
  }
  graph.outputs.push(x);
  return model;
}

function weightOf(model: Model, name: string): Float32Array {
  const value = [...model.graph.initializers].find((initializer) => initializer.name === name);
  return value!.tensor!.toFloat32();
}

function zerosOf(values: ArrayLike<number>): number {
  return Array.from(values).filter((value) => value === 0).length;
}

const values = (count: number, seed = 1) => {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647 - 0.5;
  });
};

describe('pruneMagnitude', () => {
  it('sets exactly the share asked for to zero, keeps the rest as it is, and leaves no layer empty', async () => {
    const layer = fc.integer({ min: 4, max: 20 }).chain((columns) =>
      fc
        .array(fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constant(0)), {
          minLength: 8 * columns,
          maxLength: 8 * columns,
        })
        .map((list) => Float32Array.from(list)),
    );
    const cases = fc.array(layer, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(cases, fc.double({ min: 0, max: 0.99, noNaN: true }), async (layers, sparsity) => {
        const model = chain(layers);
        const elements = layers.reduce((sum, weights) => sum + weights.length, 0);
        const before = layers.reduce((sum, weights) => sum + zerosOf(weights), 0);
        await prune(model, { sparsity });
        let zeros = 0;
        for (const [i, original] of layers.entries()) {
          const pruned = weightOf(model, `w${i}`);
          zeros += zerosOf(pruned);
          if (original.some((weight) => weight !== 0)) expect(zerosOf(pruned)).toBeLessThan(pruned.length);
          for (const [k, weight] of pruned.entries()) if (weight !== 0) expect(weight).toBe(original[k]);
          expect(weightOf(model, `b${i}`).every((bias) => bias === Math.fround(1e-9))).toBe(true);
        }
        const kept = layers.filter((weights) => weights.some((weight) => weight !== 0)).length;
        expect(zeros).toBe(Math.max(before, Math.min(Math.round(sparsity * elements), elements - kept)));
      }),
      { numRuns: 200 },
    );
  });

  it('does nothing more when run again', async () => {
    const model = chain([values(64), values(128, 7)]);
    expect((await prune(model, { sparsity: 0.6 })).modified).toBe(true);
    expect(await prune(model, { sparsity: 0.6 })).toMatchObject({ modified: false, changes: [] });
    expect(await prune(model, { sparsity: 0.3 })).toMatchObject({ modified: false });
  });

  it('takes the same share of every layer where the scope is local', async () => {
    const model = chain([values(64), values(800, 3).map((weight) => weight * 100)]);
    await prune(model, { sparsity: 0.25, scope: 'local' });
    expect([zerosOf(weightOf(model, 'w0')), zerosOf(weightOf(model, 'w1'))]).toEqual([16, 200]);
  });

  it('reports each layer and the whole', async () => {
    const model = chain([values(64), values(64, 5)]);
    const { changes } = await prune(model, { sparsity: 0.5, scope: 'local' });
    expect(changes).toEqual([
      { kind: 'prune-magnitude', subject: 'layer0', detail: 'sparsityRatio 0.5000, was 0.0000, of 64 weights' },
      { kind: 'prune-magnitude', subject: 'layer1', detail: 'sparsityRatio 0.5000, was 0.0000, of 64 weights' },
      { kind: 'prune-magnitude', subject: 'all layers', detail: 'sparsityRatio 0.5000 of 128 weights' },
    ]);
  });

  it('leaves excluded nodes alone, and what they share with others', async () => {
    const model = chain([values(64), values(64, 5)]);
    await prune(model, { sparsity: 0.5, nodesToExclude: ['layer0'] });
    expect([zerosOf(weightOf(model, 'w0')), zerosOf(weightOf(model, 'w1'))]).toEqual([0, 32]);
    const shared = chain([values(64)]);
    const [gemm] = shared.graph.nodes();
    const second = shared.graph.create('MatMul', [gemm!.output, gemm!.input(1)], { name: 'second' });
    shared.graph.outputs.push(second.output);
    expect((await prune(shared, { sparsity: 0.5, nodesToExclude: ['sec*'] })).modified).toBe(false);
    expect((await prune(shared, { sparsity: 0.5 })).changes.length).toBe(2);
  });

  it('leaves tables, small weights, other operators and integers alone', async () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const x = graph.addInput('x', tensorType(DataType.float32, [1, 8]));
    const ids = graph.addInput('i', tensorType(DataType.int64, [1]));
    const table = graph.addInitializer(Tensor.float32('table', [100, 8], values(800)));
    const small = graph.addInitializer(Tensor.float32('small', [8, 3], values(24)));
    const scale = graph.addInitializer(Tensor.float32('scale', [8, 8], values(64)));
    const bytes = graph.addInitializer(Tensor.fromArray('bytes', DataType.int8, [8, 8], new Int8Array(64).fill(1)));
    graph.outputs.push(graph.create('Gather', [table, ids]).output);
    graph.outputs.push(graph.create('MatMul', [x, small]).output);
    graph.outputs.push(graph.create('Mul', [x, scale]).output);
    graph.outputs.push(graph.create('MatMulInteger', [bytes, bytes]).output);
    expect(await prune(model, { sparsity: 0.9 })).toMatchObject({ modified: false, changes: [] });
  });

  it('prunes float16, negative zeros counted', async () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const halves = Uint16Array.from({ length: 64 }, (_, i) => numberToFloat16(i < 8 ? -0 : i));
    const w = graph.addInitializer(Tensor.fromArray('w', DataType.float16, [8, 8], halves));
    graph.outputs.push(graph.create('MatMul', [graph.addInput('x', tensorType(DataType.float16, [1, 8])), w]).output);
    await prune(model, { sparsity: 0.5 });
    expect([...weightOf(model, 'w')]).toEqual(Array.from({ length: 64 }, (_, i) => (i < 8 ? -0 : i < 32 ? 0 : i)));
  });

  it('leaves n of every m along the axis that is summed over', async () => {
    const weights = values(64);
    const model = chain([weights]);
    await prune(model, { maskStructure: '2:4' });
    const pruned = weightOf(model, 'w0');
    for (let column = 0; column < 8; column++) {
      for (const start of [0, 4]) {
        const group = [0, 1, 2, 3].map((k) => pruned[(start + k) * 8 + column]!);
        expect(zerosOf(group)).toBe(2);
      }
    }
    const conv = Model.create(17, 8);
    const kernel = conv.graph.addInitializer(Tensor.float32('k', [2, 4, 3, 3], values(72)));
    const image = conv.graph.addInput('x', tensorType(DataType.float32, [1, 4, 8, 8]));
    const thin = conv.graph.addInitializer(Tensor.float32('t', [4, 1, 3, 3], values(36)));
    const first = conv.graph.create('Conv', [image, kernel], { name: 'full' });
    const second = conv.graph.create('Conv', [image, thin], { name: 'thin', attributes: [attr.int('group', 4)] });
    conv.graph.outputs.push(first.output, second.output);
    const { changes } = await prune(conv, { maskStructure: '1:4' });
    const found = weightOf(conv, 'k');
    for (let o = 0; o < 2; o++) {
      for (let p = 0; p < 9; p++) {
        expect(zerosOf([0, 1, 2, 3].map((i) => found[(o * 4 + i) * 9 + p]!))).toBe(3);
      }
    }
    expect(changes.find(({ kind }) => kind === 'keep-dense')?.subject).toBe('thin');
  });

  it.each([
    { options: { sparsity: 1 }, says: 'sparsity' },
    { options: { maskStructure: '4:2' }, says: 'leaves every weight' },
    { options: { maskStructure: '2:4', sparsity: 0.3 }, says: 'is a sparsity of 0.50' },
    { options: { maskStructure: 'channel' }, says: 'n:m' },
    { options: { ratio: 0.5 } as object, says: 'ratio' },
  ])('refuses $options at once', ({ options, says }) => {
    expect(() => pruneMagnitude(options)).toThrow(expect.objectContaining({ code: 'recipe' }));
    expect(() => pruneMagnitude(options)).toThrow(says);
  });

  it('gives the same digits model every time', async () => {
    const model = readModel(join(fixtures, 'digits-dense.onnx'));
    const { changes } = await prune(model, { sparsity: 0.8 });
    const hash = createHash('sha256');
    for (const value of model.graph.initializers) hash.update(value.tensor!.bytes());
    expect({ changes, sha256: hash.digest('hex') }).toMatchSnapshot();
  });
});

describe.skipIf(!zooAvailable)('pruneMagnitude on the zoo', () => {
  it('takes half of 4.6 million weights in seconds and from all layers', async () => {
    const model = readModel(zooPath('efficientnet_lite0/model.onnx'));
    const { changes, durationMs } = await prune(model, { sparsity: 0.5 });
    expect(changes.at(-1)).toMatchObject({ detail: 'sparsityRatio 0.5000 of 4608992 weights' });
    // Half a second on an idle machine.
    expect(durationMs).toBeLessThan(10_000);
    const highest = Math.max(...changes.slice(0, -1).map(({ detail }) => Number(/\d\.\d+/.exec(detail!)![0])));
    expect(highest).toBeLessThan(0.8);
  });
});

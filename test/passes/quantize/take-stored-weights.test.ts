import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { cloneModel } from '../../../src/formats/onnx/clone-model.ts';
import { inferShapes } from '../../../src/ir/infer-shapes.ts';
import type { Model } from '../../../src/ir/model.ts';
import { scaledIntegers } from '../../../src/ir/scaled-integers.ts';
import type { Pass } from '../../../src/passes/pass.ts';
import { foldDequantizers } from '../../../src/passes/quantize/fold-dequantizers.ts';
import { insertQdq } from '../../../src/passes/quantize/insert-qdq.ts';
import { placeQuantization } from '../../../src/passes/quantize/placement.ts';
import { takeStoredWeights } from '../../../src/passes/quantize/take-stored-weights.ts';
import { runPasses } from '../../../src/passes/run-passes.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { GraphBuilder } from '../optimize/graph-builder.ts';
import { bytesOf, noiseFeeds, sqnrDb } from './quantize-case.ts';

/** Convolutions that share weights, a pool between, a Gemm, a product with an added bias and a table. */
function network(): Model {
  const builder = new GraphBuilder(17);
  const w = (name: string, dims: readonly number[]) => builder.weight(name, dims, -0.3, 0.3);
  const x = builder.input('x', ['N', 8, 8, 8]);
  const shared = w('shared.w', [8, 8, 3, 3]);
  const padded = { pads: [1, 1, 1, 1] };
  const first = builder.op('Relu', [
    builder.op('Conv', [x, shared, w('first.b', [8])], { name: 'first', attributes: padded }),
  ]);
  const pooled = builder.op('MaxPool', [first], { attributes: { kernel_shape: [2, 2], strides: [2, 2] } });
  const second = builder.op('Conv', [pooled, shared], { name: 'second', attributes: padded });
  const flat = builder.op('Flatten', [builder.op('Add', [builder.op('Relu', [second]), pooled])]);
  const gemm = builder.op('Gemm', [flat, w('gemm.w', [32, 128]), w('gemm.b', [32])], {
    name: 'gemm',
    attributes: { transB: 1 },
  });
  const product = builder.op('MatMul', [builder.op('Relu', [gemm]), w('matmul.w', [32, 64])], { name: 'matmul' });
  const biased = builder.op('Add', [product, w('matmul.b', [64])]);
  const ids = builder.input('ids', ['N'], DataType.int64);
  const words = builder.op('Gather', [w('table', [64, 64]), ids], { name: 'words' });
  return builder.output(builder.op('Add', [biased, words]), undefined, 'y').model;
}

async function changed(model: Model, pass: Pass): Promise<Model> {
  const copy = cloneModel(model);
  await runPasses(copy, [pass], { logger: silentLogger });
  return copy;
}

/** In int8, with ranges that nothing leaves and means that make the biases take something up. */
async function int8Of(float: Model, nodesToExclude: readonly string[] = []): Promise<Model> {
  const typed = cloneModel(float);
  inferShapes(typed);
  const values = placeQuantization(typed).quantizedValues.filter(({ tensor }) => tensor === undefined);
  const activations = new Map(values.map(({ name }) => [name, { min: -4, max: 4 }]));
  const channelMeans = new Map([['x', new Float64Array(8).fill(0.1)]]);
  return changed(
    float,
    insertQdq(
      { sampleCount: 1, activations, channelMeans },
      { weightRange: 'max', nodesToExclude: [...nodesToExclude] },
    ),
  );
}

const storedOf = ({ graph }: Model) =>
  new Map(
    [...graph.initializers]
      .filter(({ tensor }) => tensor!.dataType === DataType.int8 && tensor!.dims.length > 1)
      .map((value) => [Buffer.from(value.tensor!.bytes()).toString('hex'), value.name]),
  );
const countOf = ({ graph }: Model, ...opTypes: string[]) => [...graph.nodes()].filter((n) => n.is(...opTypes)).length;

describe('a model that stores the weights of its int8 form and computes in float', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.close());

  async function outputOf(model: Model): Promise<Float32Array> {
    const session = await engine.load(bytesOf(model));
    const { y } = await session.run(noiseFeeds(network(), 3));
    await session.release();
    return y!.data as Float32Array;
  }

  /** The engine's operators once it has optimised the model. */
  async function kernelsOf(model: Model): Promise<Record<string, number>> {
    const session = await engine.load(bytesOf(model), { profile: true });
    await session.run(noiseFeeds(network(), 3));
    const counts: Record<string, number> = {};
    for (const { opType } of await session.endProfiling()) counts[opType] = (counts[opType] ?? 0) + 1;
    await session.release();
    return counts;
  }

  it('has the same integers, rounds no activation, and answers as the float model does', async () => {
    const float = network();
    const int8 = await int8Of(float);
    const stored = await changed(float, takeStoredWeights(int8));
    expect([...storedOf(stored).keys()].sort()).toEqual([...storedOf(int8).keys()].sort());
    expect(countOf(stored, 'QuantizeLinear')).toBe(0);
    const exact = await outputOf(float);
    expect(sqnrDb(exact, await outputOf(stored))).toBeGreaterThan(35);
    expect(countOf(stored, 'Relu')).toBe(countOf(float, 'Relu'));
  });

  it('takes up in its biases what rounding the weights does to the means', async () => {
    const float = network();
    const stored = await changed(float, takeStoredWeights(await int8Of(float)));
    const biasOf = (model: Model) =>
      [...model.graph.nodes()]
        .find(({ name }) => name === 'first')!
        .input(2)!
        .tensor!.toFloat32();
    const [before, after] = [biasOf(float), biasOf(stored)];
    expect(Array.from(after)).not.toEqual(Array.from(before));
    for (const [i, value] of after.entries()) expect(value).toBeCloseTo(before[i]!, 1);
  });

  it('runs the kernels of the float model, once its DequantizeLinear nodes are spelled out', async () => {
    const float = network();
    const stored = await changed(float, takeStoredWeights(await int8Of(float)));
    // In front of a product it stays: the engine makes products with int8 weights of it.
    expect(countOf(stored, 'DequantizeLinear')).toBe(2);
    const folded = await changed(stored, foldDequantizers());
    expect(countOf(folded, 'DequantizeLinear')).toBe(1);
    expect([...folded.graph.nodes()].filter((node) => scaledIntegers(node) !== undefined)).toHaveLength(4);
    const { DequantizeLinear: ofRows, ...kernels } = await kernelsOf(folded);
    expect(ofRows).toBe(1);
    expect(kernels).toEqual(await kernelsOf(float));
    expect(sqnrDb(await outputOf(stored), await outputOf(folded))).toBeGreaterThan(30);
  });

  it('may have some layers in integers, where a pool lies between', async () => {
    const float = network();
    const int8 = await int8Of(float);
    const partly = await int8Of(float, ['first', 'gemm']);
    const mixed = await changed(partly, takeStoredWeights(int8));
    expect([...storedOf(mixed).keys()].sort()).toEqual([...storedOf(int8).keys()].sort());
    const quantizers = countOf(mixed, 'QuantizeLinear');
    expect(quantizers).toBeGreaterThan(0);
    expect(quantizers).toBeLessThan(countOf(int8, 'QuantizeLinear'));
    const exact = await outputOf(float);
    expect(sqnrDb(exact, await outputOf(mixed))).toBeGreaterThan(sqnrDb(exact, await outputOf(int8)));
  });
});

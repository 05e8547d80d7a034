import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { scoreModels } from '../../../src/evaluation/score-models.ts';
import { cloneModel } from '../../../src/formats/onnx/clone-model.ts';
import type { Model } from '../../../src/ir/model.ts';
import { widenHalfFloats } from '../../../src/passes/optimize/widen-half-floats.ts';
import { runPasses } from '../../../src/passes/run-passes.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { floatElements } from '../../../src/tensor/float-elements.ts';
import { numberToFloat16 } from '../../../src/tensor/float16.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { GraphBuilder } from './graph-builder.ts';
import { bytesOf, operatorCounts } from './optimize-model.ts';

const half = (name: string, dims: readonly number[], values: readonly number[]) =>
  Tensor.fromArray(name, DataType.float16, dims, Uint16Array.from(values, numberToFloat16));

/** x (float16) · weights, clipped at a Constant node, with a float32 input added in float16. */
function halfModel(bias = 0.25): Model {
  const b = new GraphBuilder();
  const x = b.input('x', ['N', 2], DataType.float16);
  const offset = b.input('offset', [1]);
  const weights = b.model.graph.addInitializer(half('w', [2, 3], [0.5, -1.5, 2, 1, 0.125, -0.75]));
  const product = b.op('MatMul', [x, weights]);
  const rounded = b.op('Cast', [offset], { attributes: { to: DataType.float16 } });
  const sum = b.op('Add', [product, rounded]);
  const limit = b.constant('limit', half('', [], [bias]));
  return b.output(b.op('Max', [sum, limit]), ['N', 3], 'y', DataType.float16).model;
}

async function widened(model: Model): Promise<Model> {
  const copy = cloneModel(model);
  await runPasses(copy, [widenHalfFloats()], { logger: silentLogger });
  return copy;
}

const feeds = {
  x: { dataType: DataType.float16, dims: [1, 2], data: Uint16Array.from([1, -0.5], numberToFloat16) },
  offset: { dataType: DataType.float32, dims: [1], data: Float32Array.of(0.5) },
};

describe('a float16 model', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.close());

  it('computes the same in float32, with inputs and outputs of the types they had', async () => {
    const model = halfModel();
    const wide = await widened(model);
    expect(operatorCounts(wide)).toMatchObject({ Cast: 3, MatMul: 1, Add: 1, Max: 1 });
    expect([...wide.graph.initializers].every(({ tensor }) => tensor!.dataType === DataType.float32)).toBe(true);
    const outputs = [];
    for (const variant of [model, wide]) {
      const { y } = await (await engine.load(bytesOf(variant))).run(feeds);
      expect(y!.dataType).toBe(DataType.float16);
      outputs.push([...floatElements(y!)]);
    }
    expect(outputs[1]).toEqual(outputs[0]);
    expect((await widened(wide)).graph.nodeCount, 'a second time it finds nothing').toBe(wide.graph.nodeCount);
  });

  it('is left alone where an operator of an unknown domain may want its type', async () => {
    const model = halfModel();
    const [first] = model.graph.nodes();
    first!.domain = 'com.example';
    expect((await widened(model)).graph.nodeCount).toBe(model.graph.nodeCount);
  });

  it('is scored by the numbers that its output bits stand for', async () => {
    const [original, other] = [await engine.load(bytesOf(halfModel())), await engine.load(bytesOf(halfModel(-1)))];
    const samples = {
      count: 1,
      labels: Int32Array.of(0),
      source: 'test',
      preprocessDescription: '',
      preprocess: undefined,
      preprocessAssumed: false,
      feed: async () => feeds,
      contentHash: async () => '',
      subset: () => samples,
    };
    const { reference, candidates } = await scoreModels(original, [other], samples, { logger: silentLogger });
    // x · w + 0.5 = 0.5, -1.0625, 2.875: of the two outputs only the second number differs, by 0.25 + 1.
    expect(reference.top1?.value).toBe(0);
    expect(candidates[0]).toMatchObject({ maxAbsoluteDifference: 1.25, agreement: { value: 1 } });
    expect(candidates[0]!.sqnrDb).toBeCloseTo(10 * Math.log10((0.25 + 0.0625 + 2.875 ** 2) / 1.5625), 1);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgepackError } from '../../../src/diagnostics/edgepack-error.ts';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { cloneModel } from '../../../src/formats/onnx/clone-model.ts';
import { Graph } from '../../../src/ir/graph.ts';
import type { Model } from '../../../src/ir/model.ts';
import { printModel } from '../../../src/ir/print.ts';
import { tensorType } from '../../../src/ir/types.ts';
import { type InsertWeightDqOptions, insertWeightDq } from '../../../src/passes/quantize/insert-weight-dq.ts';
import { runPasses } from '../../../src/passes/run-passes.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { GraphBuilder } from '../optimize/graph-builder.ts';
import { bytesOf, noiseFeeds, sqnrDb } from './quantize-case.ts';

/** One of every operator whose weights can be stored in integers, each large enough to be worth it. */
function everything(opset = 17): Model {
  const builder = new GraphBuilder(opset);
  const x = builder.input('x', ['N', 8, 6, 6]);
  const w = (name: string, dims: readonly number[]) => builder.weight(name, dims, -0.3, 0.3);
  const conv = builder.op('Conv', [x, w('conv.w', [16, 8, 3, 3]), w('conv.b', [16])], { name: 'conv' });
  const wide = builder.op('ConvTranspose', [conv, w('up.w', [16, 8, 3, 3])], { name: 'up' });
  const grouped = builder.op('ConvTranspose', [wide, w('grouped.w', [8, 32, 2, 2])], {
    name: 'grouped',
    attributes: { group: 2 },
  });
  const flat = builder.op('Flatten', [builder.op('GlobalAveragePool', [grouped])]);
  const gemm = builder.op('Gemm', [flat, w('gemm.w', [32, 64]), w('gemm.b', [32])], {
    name: 'gemm',
    attributes: { transB: 1 },
  });
  const product = builder.op('MatMul', [gemm, w('matmul.w', [32, 40])], { name: 'matmul' });
  const ids = builder.input('ids', ['N'], DataType.int64);
  const words = builder.op('Gather', [w('table', [64, 40]), ids], { name: 'words' });
  const tiny = builder.op('MatMul', [builder.op('Add', [product, words]), w('tiny.w', [40, 4])], { name: 'tiny' });
  return builder.output(tiny, undefined, 'y').model;
}

async function weightOnly(model: Model, options: InsertWeightDqOptions = {}) {
  const copy = cloneModel(model);
  const [run] = await runPasses(copy, [insertWeightDq(options)], { logger: silentLogger });
  return { model: copy, run: run! };
}

const subjects = (run: { changes: readonly { subject: string }[] }) => run.changes.map(({ subject }) => subject);

describe('weight-only quantization', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.close());

  /** Signal to noise ratio of y in dB. */
  async function difference(original: Model, other: Model): Promise<number> {
    const feeds = noiseFeeds(original, 3);
    const outputs: Float32Array[] = [];
    for (const model of [original, other]) {
      const session = await engine.load(bytesOf(model));
      outputs.push((await session.run(feeds)).y!.data as Float32Array);
      await session.release();
    }
    return sqnrDb(outputs[0]!, outputs[1]!);
  }

  it('stores the weights of every operator that multiplies, and is close to float', async () => {
    const original = everything();
    const { model, run } = await weightOnly(original);
    expect(subjects(run)).toEqual(['conv', 'up', 'grouped', 'gemm', 'matmul', 'words']);
    const integers = [...model.graph.initializers].filter((value) => value.elemType === DataType.int8);
    expect(integers.filter((value) => value.tensor!.elementCount >= 1024).length).toBe(6);
    expect(bytesOf(model).byteLength).toBeLessThan(0.45 * bytesOf(original).byteLength);
    expect(await difference(original, model)).toBeGreaterThan(30);
  });

  it('stores those of recurrent layers, of Einsum and of stacked matrices', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', [5, 'N', 16]);
    const w = (name: string, dims: readonly number[]) => builder.weight(name, dims, -0.3, 0.3);
    const lstm = builder.op('LSTM', [x, w('lstm.w', [2, 64, 16]), w('lstm.r', [2, 64, 16])], {
      name: 'lstm',
      attributes: { hidden_size: 16, direction: 'bidirectional' },
    });
    const mixed = builder.op('Einsum', [lstm, w('mix', [2, 16, 64])], {
      name: 'mix',
      attributes: { equation: 'tdnh,dho->dtno' },
    });
    const original = builder.output(
      builder.op('MatMul', [mixed, w('stack', [2, 1, 64, 16])], { name: 'stack' }),
      undefined,
      'y',
    );
    const { model, run } = await weightOnly(original.model);
    expect(subjects(run)).toEqual(['lstm', 'mix', 'stack']);
    expect([...model.graph.initializers].filter((value) => value.elemType === DataType.int8)).toHaveLength(4);
    expect(await difference(original.model, model)).toBeGreaterThan(30);
  });

  it('stores those in branches, and those that branches read from outside', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', ['N', 32]);
    const condition = builder.input('condition', [], DataType.bool);
    const outer = builder.weight('outer', [32, 32], -0.3, 0.3);
    const branch = (name: string) => {
      const graph = new Graph(name);
      const inner = graph.addInitializer(Tensor.float32(`${name}.w`, [32, 32], outer.tensor!.toFloat32().reverse()));
      const first = graph.create('MatMul', [x, inner], { name: `${name}.inner`, outputNames: [`${name}_hidden`] });
      const second = graph.create('MatMul', [first.output, outer], {
        name: `${name}.outer`,
        outputNames: [`${name}_out`],
      });
      graph.outputs.push(second.output);
      second.output.type = tensorType(DataType.float32, undefined);
      return { name, kind: 'graph', value: graph } as const;
    };
    const attributes = [branch('then_branch'), branch('else_branch')];
    const node = builder.model.graph.create('If', [condition], { name: 'If', attributes, outputNames: ['y'] });
    for (const { value } of attributes) value.owner = node;
    const original = builder.output(node.output).model;
    const { model, run } = await weightOnly(original);
    expect(subjects(run).sort()).toEqual([
      'else_branch.inner',
      'else_branch.outer',
      'then_branch.inner',
      'then_branch.outer',
    ]);
    const integers = [...model.graph.allGraphs()].map(
      (graph) =>
        [...graph.initializers].filter((value) => value.elemType === DataType.int8 && value.tensor!.elementCount > 32)
          .length,
    );
    expect(integers, 'what both branches read is stored once, outside').toEqual([1, 1, 1]);
    expect(await difference(original, model)).toBeGreaterThan(30);
  });

  it('changes nothing in a second run', async () => {
    const { model } = await weightOnly(everything());
    const again = await weightOnly(model);
    expect(again.run.modified).toBe(false);
    expect(printModel(again.model)).toBe(printModel(cloneModel(model)));
  });

  it('leaves nodes that are excluded by name', async () => {
    const { run } = await weightOnly(everything(), { nodesToExclude: ['g*', 'words'] });
    expect(subjects(run)).toEqual(['conv', 'up', 'matmul']);
  });

  it('leaves weights that are shared with what cannot read integers, or not finite', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', ['N', 32]);
    const shared = builder.weight('shared', [32, 32]);
    const broken = builder.float('broken', [32, 32], new Array<number>(1024).fill(Number.NaN));
    const first = builder.op('MatMul', [x, shared], { name: 'first' });
    const sum = builder.op('Add', [first, builder.op('ReduceMean', [shared])]);
    const second = builder.op('MatMul', [sum, broken], { name: 'second' });
    const third = builder.op('MatMul', [second, shared], { name: 'third' });
    const { model, run } = await weightOnly(builder.output(third, undefined, 'y').model);
    expect(subjects(run)).toEqual(['first', 'third']);
    const text = printModel(model);
    expect(text).toContain('ReduceMean(shared)');
    expect(text).toContain(', broken)');
    // One form for both readers.
    expect(text.match(/DequantizeLinear/g)).toHaveLength(1);
  });

  it('gives models that load where convolutions share weights', async () => {
    const builder = new GraphBuilder();
    const shared = builder.weight('shared', [16, 16, 3, 3], -0.1, 0.1);
    const first = builder.op('Conv', [builder.input('x', ['N', 16, 8, 8]), shared]);
    const original = builder.output(builder.op('Conv', [builder.op('Relu', [first]), shared]), undefined, 'y').model;
    const { model } = await weightOnly(original);
    expect(await difference(original, model)).toBeGreaterThan(30);
  });

  it('refuses operator sets without scales along an axis', async () => {
    const { model } = new GraphBuilder(12);
    await expect(runPasses(model, [insertWeightDq()], { logger: silentLogger })).rejects.toThrow(EdgepackError);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { printModel } from '../../../src/ir/print.ts';
import { type FoldConstantsOptions, foldConstants } from '../../../src/passes/optimize/fold-constants.ts';
import { removeDeadNodes } from '../../../src/passes/optimize/remove-dead-nodes.ts';
import { runPasses } from '../../../src/passes/run-passes.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { GraphBuilder } from './graph-builder.ts';
import { bytesOf, engineEvaluator, operatorCounts } from './optimize-model.ts';

describe('fold-constants', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.close());

  const fold = async (b: GraphBuilder, options: Partial<FoldConstantsOptions> = {}) => {
    const passes = [foldConstants({ evaluate: engineEvaluator(engine), ...options }), removeDeadNodes()];
    const runs = await runPasses(b.model, passes, { logger: silentLogger });
    return { operators: operatorCounts(b.model), changes: runs[0]!.changes };
  };

  it('computes chains of constants, keeps the names of the results, and changes no output', async () => {
    const build = () => {
      const b = new GraphBuilder();
      const w = b.op('Transpose', [b.weight('w', [64, 32])], { attributes: { perm: [1, 0] }, outputs: ['w_t'] });
      const scaled = b.op('Mul', [w, b.float('scale', [], [0.5])], { outputs: ['w_scaled'] });
      return b.output(b.op('MatMul', [b.input('x', ['N', 32]), scaled]), undefined, 'y');
    };
    const b = build();
    const { operators, changes } = await fold(b);
    expect(operators).toEqual({ MatMul: 1 });
    expect(changes).toEqual([{ kind: 'fold-constant', subject: 'Mul', detail: 'Mul w_scaled [32, 64]' }]);
    expect([...b.model.graph.initializers].map((value) => value.name)).toEqual(['w_scaled']);

    const x = { dataType: DataType.float32, dims: [2, 32], data: Float32Array.from({ length: 64 }, (_, i) => i / 64) };
    const outputs = await Promise.all(
      [build().model, b.model].map(async (model) => (await engine.load(bytesOf(model))).run({ x })),
    );
    expect(outputs[1]).toEqual(outputs[0]);
  });

  it('does not let the file grow', async () => {
    const b = new GraphBuilder();
    const shape = b.ints('shape', [64, 64]);
    const ones = b.op('ConstantOfShape', [shape], { attributes: { value: Tensor.float32('', [1], [1]) } });
    const half = Tensor.fromArray('half', DataType.float16, [32, 64], new Uint16Array(2048).fill(0x3800));
    const wide = b.op('Cast', [b.model.graph.addInitializer(half)], { attributes: { to: DataType.float32 } });
    b.output(b.op('MatMul', [b.op('MatMul', [b.input('x', ['N', 32]), wide]), ones]));
    expect(await fold(b)).toEqual({ operators: { ConstantOfShape: 1, Cast: 1, MatMul: 2 }, changes: [] });
  });

  it('folds what is tiny even where it grows, and what is large as far as that is no loss', async () => {
    const b = new GraphBuilder();
    const ones = b.op('ConstantOfShape', [b.ints('shape', [8, 8])]);
    const big = b.op('Expand', [b.op('Exp', [b.float('e', [1], [1])]), b.ints('to', [128, 128])]);
    b.output(b.op('Add', [b.op('MatMul', [b.input('x', ['N', 8]), ones]), b.op('ReduceSum', [b.op('Tanh', [big])])]));
    const { operators } = await fold(b);
    expect(operators).toEqual({ MatMul: 1, Add: 1 });
  });

  it('leaves random, quantization and custom operators, subgraphs and public outputs', async () => {
    const b = new GraphBuilder();
    const w = b.weight('w', [8, 8]);
    b.output(b.op('RandomNormalLike', [w]));
    const scale = b.float('s', [], [0.1]);
    const quantized = b.op('QuantizeLinear', [w, scale]);
    b.output(b.op('MatMul', [b.input('x', ['N', 8]), b.op('DequantizeLinear', [quantized, scale])]));
    b.output(b.op('Exp', [w], { outputs: ['public'] }));
    const custom = b.op('Sharpen', [w]);
    custom.producer!.domain = 'org.example';
    b.output(b.op('Relu', [custom]));
    const before = printModel(b.model);
    expect((await fold(b)).changes).toEqual([]);
    expect(printModel(b.model)).toBe(before);
  });

  it('takes an initializer that is a graph input for no constant', async () => {
    const b = new GraphBuilder();
    const w = b.weight('w', [8, 8]);
    b.model.graph.inputs.push(w);
    b.output(b.op('Relu', [b.op('Exp', [w])]));
    expect((await fold(b)).operators).toEqual({ Exp: 1, Relu: 1 });
  });

  it('obeys maxBytes and rejects a wrong one at once', async () => {
    const build = () => {
      const b = new GraphBuilder();
      const w = b.op('Exp', [b.weight('w', [64, 64])]);
      return b.output(b.op('MatMul', [b.input('x', ['N', 64]), w]));
    };
    expect((await fold(build(), { maxBytes: 16383 })).operators).toEqual({ Exp: 1, MatMul: 1 });
    expect((await fold(build(), { maxBytes: 16384 })).operators).toEqual({ MatMul: 1 });
    expect(() => foldConstants({ evaluate: engineEvaluator(engine), maxBytes: -1 })).toThrow(/maxBytes/);
  });

  it('warns and leaves the model where the engine cannot compute', async () => {
    const b = new GraphBuilder();
    b.output(b.op('MatMul', [b.input('x', ['N', 8]), b.op('Exp', [b.weight('w', [8, 8])])]));
    const warnings: string[] = [];
    const pass = foldConstants({
      evaluate: async () => {
        throw new Error('no kernel');
      },
    });
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    expect(await pass.run(b.model, { logger })).toEqual({ modified: false, changes: [] });
    expect(warnings).toEqual(['constants are not folded: no kernel']);
  });
});

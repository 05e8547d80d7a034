import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { decodeModel, readModel } from '../../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import { Model } from '../../../src/ir/model.ts';
import { tensorType } from '../../../src/ir/types.ts';
import { verify } from '../../../src/ir/verify.ts';
import { normalizeGemm } from '../../../src/passes/optimize/normalize-gemm.ts';
import { removeInitializerInputs } from '../../../src/passes/optimize/remove-initializer-inputs.ts';
import { upgradeOpset } from '../../../src/passes/optimize/upgrade-opset.ts';
import { runPasses } from '../../../src/passes/run-passes.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { hasZoo, zooModelPaths } from '../../formats/onnx/conformance-archive.ts';

const context = { logger: silentLogger };

function gemmModel(): Model {
  const model = Model.create(8, 3, 'g');
  const { graph } = model;
  const x = graph.addInput('x', tensorType(1, ['N', 3]));
  const w = graph.addInitializer(Tensor.float32('w', [3, 2], [1, 2, 3, 4, 5, 6]));
  const c = graph.addInitializer(Tensor.float32('c', [1, 2], [7, 8]));
  graph.inputs.push(w, c);
  graph.outputs.push(graph.create('Gemm', [x, w, c], { name: 'dense', outputNames: ['y'] }).output);
  return model;
}

describe('removeInitializerInputs', () => {
  test('initializers leave the inputs, and the IR version allows it', async () => {
    const model = gemmModel();
    const { changes, modified } = await removeInitializerInputs().run(model, context);
    expect([modified, changes.map(({ subject }) => subject)]).toEqual([true, ['w', 'c']]);
    expect([model.irVersion, model.graph.inputs.map(({ name }) => name)]).toEqual([4, ['x']]);
    const copy = decodeModel(Buffer.concat(encodeModel(model).pieces));
    verify(copy);
    expect(copy.graph.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(copy.graph.initializers.size).toBe(2);
    expect(await removeInitializerInputs().run(model, context)).toEqual({ modified: false, changes: [] });
  });

  test('a newer IR version is kept', async () => {
    const model = gemmModel();
    model.irVersion = 9;
    await removeInitializerInputs().run(model, context);
    expect(model.irVersion).toBe(9);
  });
});

describe('normalizeGemm', () => {
  test('a bias of one row loses the axis; a replaceable one is left', async () => {
    const model = gemmModel();
    expect((await normalizeGemm().run(model, context)).modified).toBe(false);
    await removeInitializerInputs().run(model, context);
    expect((await normalizeGemm().run(model, context)).changes).toEqual([
      { kind: 'normalize-gemm', subject: 'dense', detail: 'c' },
    ]);
    const bias = [...model.graph.nodes()][0]!.input(2)!;
    expect([bias.name, bias.tensor!.dims, bias.shape, bias.tensor!.toNumbers()]).toEqual(['c', [2], [2], [7, 8]]);
  });

  test('a bias that something else reads stays, and the Gemm gets its own', async () => {
    const model = gemmModel();
    await removeInitializerInputs().run(model, context);
    const gemm = [...model.graph.nodes()][0]!;
    const c = gemm.input(2)!;
    model.graph.create('Identity', [c]);
    await normalizeGemm().run(model, context);
    verify(model);
    expect([c.tensor!.dims, gemm.input(2)!.tensor!.dims]).toEqual([[1, 2], [2]]);
  });

  test('biases of one axis or several rows stay', async () => {
    const model = gemmModel();
    await removeInitializerInputs().run(model, context);
    const bias = [...model.graph.nodes()][0]!.input(2)!;
    for (const dims of [[2], [2, 1]]) {
      bias.tensor = Tensor.float32('c', dims, new Array(dims.reduce((a, b) => a * b, 1)).fill(0));
      expect((await normalizeGemm().run(model, context)).modified).toBe(false);
    }
  });
});

describe.skipIf(!hasZoo)('mnist_cntk', () => {
  test('comes to version 13 with its weights as constants', async () => {
    const model = readModel(zooModelPaths().find((path) => path.includes('mnist_cntk'))!);
    expect([model.opset, model.graph.inputs.length > 1]).toEqual([8, true]);
    await runPasses(model, [removeInitializerInputs(), upgradeOpset({ minimum: 13 }), normalizeGemm()], context);
    expect([model.opset, model.graph.inputs.length]).toEqual([13, 1]);
  });
});

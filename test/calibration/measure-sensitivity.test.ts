import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureSensitivity } from '../../src/calibration/measure-sensitivity.ts';
import { openDataset } from '../../src/data/dataset.ts';
import { silentLogger } from '../../src/diagnostics/logger.ts';
import { outputNoise } from '../../src/evaluation/output-noise.ts';
import { cloneModel } from '../../src/formats/onnx/clone-model.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../src/formats/onnx/write-model.ts';
import { inferShapes } from '../../src/ir/infer-shapes.ts';
import { placeQuantization } from '../../src/passes/quantize/placement.ts';
import { storedWeights } from '../../src/passes/quantize/stored-weights.ts';
import { dequantizeWeights, quantizeWeights } from '../../src/quantization/quantize-weights.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { loadPieces } from '../../src/runtime/load-pieces.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

describe('measureSensitivity', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ logger: silentLogger });
  });
  afterAll(() => engine.close());

  it('is what a model with one layer rounded shows, for each layer, the last one included', async () => {
    const model = readModel(fixture('digits-dense.onnx'));
    inferShapes(model);
    const weights = storedWeights(placeQuantization(model));
    const input = model.graph.inputs[0]!;
    const inputs = [{ name: input.name, dataType: DataType.float32, shape: input.shape! }];
    const data = await openDataset(fixture('digits.npz'), { inputs });
    const samples = data.subset([0, 111, 222]);
    const options = { engine, threads: 1, logger: silentLogger, noise: outputNoise };
    const measured = await measureSensitivity(model, weights, samples, options);
    expect(measured.length).toBe(weights.length);

    const original = await loadPieces(engine, encodeModel(model).pieces, { label: 'original' });
    for (const [layer, { tensor, layout, value }] of weights.entries()) {
      const exact = tensor.toFloat32();
      const rounded = dequantizeWeights(quantizeWeights(exact, layout, { range: 'max', stepFactor: 8 }), layout);
      const energy = exact.reduce((sum, weight, i) => sum + (weight - rounded[i]!) ** 2, 0);
      const changed = cloneModel(model);
      const target = [...changed.graph.initializers].find(({ name }) => name === value.name)!;
      target.tensor = Tensor.float32(tensor.name, tensor.dims, rounded);
      const session = await loadPieces(engine, encodeModel(changed).pieces, { label: 'changed' });
      const names = session.outputs.map(({ name }) => name);
      let noise = 0;
      for (let i = 0; i < samples.count; i++) {
        const feeds = await samples.feed(i);
        noise += outputNoise(await original.run(feeds), await session.run(feeds), names) / samples.count;
      }
      expect(noise).toBeGreaterThan(0);
      expect(Math.abs(measured[layer]! / (noise / energy) - 1)).toBeLessThan(1e-3);
      await session.release();
    }
    await original.release();
  });
});

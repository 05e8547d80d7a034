import { silentLogger } from '../../src/diagnostics/logger.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { inferShapes } from '../../src/ir/infer-shapes.ts';
import type { Model } from '../../src/ir/model.ts';
import { optimizePasses } from '../../src/passes/optimize/optimize-passes.ts';
import { insertQdq } from '../../src/passes/quantize/insert-qdq.ts';
import { placeQuantization } from '../../src/passes/quantize/placement.ts';
import { runPasses } from '../../src/passes/run-passes.ts';

/** A model in int8 with made-up activation ranges; `saturating` limits its weights. */
export async function quantizedWithMadeUpRanges(path: string, saturating: boolean): Promise<Model> {
  const context = { logger: silentLogger };
  const model = readModel(path);
  await runPasses(model, optimizePasses(), context);
  inferShapes(model);
  const activations = new Map(placeQuantization(model).quantizedValues.map(({ name }) => [name, { min: -4, max: 4 }]));
  const table = { sampleCount: 1, activations, channelMeans: new Map() };
  await runPasses(model, [insertQdq(table, { saturating, weightRange: 'max' })], context);
  return model;
}

import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/diagnostics/logger.ts';
import { findSaturation } from '../../src/evaluation/find-saturation.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { inferShapes } from '../../src/ir/infer-shapes.ts';
import { optimizePasses } from '../../src/passes/optimize/optimize-passes.ts';
import { insertQdq } from '../../src/passes/quantize/insert-qdq.ts';
import { placeQuantization } from '../../src/passes/quantize/placement.ts';
import { runPasses } from '../../src/passes/run-passes.ts';
import { zooAvailable, zooPath } from '../zoo.ts';

const fixtures = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', 'fixtures');

/** A model in int8 with made-up activation ranges, which the check does not look at. */
async function quantized(path: string, saturating: boolean) {
  const context = { logger: silentLogger };
  const model = readModel(path);
  await runPasses(model, optimizePasses(), context);
  inferShapes(model);
  const activations = new Map(placeQuantization(model).quantizedValues.map(({ name }) => [name, { min: -4, max: 4 }]));
  const table = { sampleCount: 1, activations, channelMeans: new Map() };
  await runPasses(model, [insertQdq(table, { saturating, weightRange: 'max' })], context);
  return model;
}

const models = [
  { name: 'the dense digits model', path: join(fixtures, 'digits-dense.onnx'), isThere: true },
  { name: 'the convolutional digits model', path: join(fixtures, 'digits-conv.onnx'), isThere: true },
  { name: 'resnet8', path: zooPath('resnet8_cifar10/model.onnx'), isThere: zooAvailable },
  { name: 'EfficientNet-Lite0', path: zooPath('efficientnet_lite0/model.onnx'), isThere: zooAvailable },
];

describe.each(models)('int8 of $name', ({ path, isThere }) => {
  it.skipIf(!isThere)('can saturate where nothing was done against it', async () => {
    const found = findSaturation(await quantized(path, false));
    expect(found).toMatchObject({ possible: true });
    for (const { worstPairSum } of found!.where) expect(worstPairSum).toBeLessThanOrEqual(2 * 127 * 255);
  });

  it.skipIf(!isThere)('cannot where its weights were rounded for such kernels', async () => {
    expect(findSaturation(await quantized(path, true))).toMatchObject({ possible: false, where: [] });
  });
});

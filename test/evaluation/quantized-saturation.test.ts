import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findSaturation } from '../../src/evaluation/find-saturation.ts';
import { zooAvailable, zooPath } from '../zoo.ts';
import { quantizedWithMadeUpRanges } from './quantized-with-made-up-ranges.ts';

const fixtures = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', 'fixtures');

const models = [
  { name: 'the dense digits model', path: join(fixtures, 'digits-dense.onnx'), isThere: true },
  { name: 'the convolutional digits model', path: join(fixtures, 'digits-conv.onnx'), isThere: true },
  { name: 'resnet8', path: zooPath('resnet8_cifar10/model.onnx'), isThere: zooAvailable },
  { name: 'EfficientNet-Lite0', path: zooPath('efficientnet_lite0/model.onnx'), isThere: zooAvailable },
];

describe.each(models)('int8 of $name', ({ path, isThere }) => {
  it.skipIf(!isThere)('can saturate where nothing was done against it', async () => {
    const found = findSaturation(await quantizedWithMadeUpRanges(path, false));
    expect(found).toMatchObject({ possible: true });
    for (const { worstPairSum } of found!.where) expect(worstPairSum).toBeLessThanOrEqual(2 * 127 * 255);
  });

  it.skipIf(!isThere)('cannot where its weights were rounded for such kernels', async () => {
    expect(findSaturation(await quantizedWithMadeUpRanges(path, true))).toMatchObject({ possible: false, where: [] });
  });
});

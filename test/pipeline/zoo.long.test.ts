import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findSaturation } from '../../src/evaluation/find-saturation.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { compress } from '../../src/index.ts';
import { zooAvailable, zooEntry, zooPath, zooPreprocess } from '../zoo.ts';

/** Samples that the tests look at; `benchmarks/` measures on all of them. */
const models = [
  // name, calibration, evaluation, largest loss in points, least agreement, least share of Conv and Gemm in integers
  ['resnet8_cifar10', 'data/cifar10/train_x.npy', 'data/cifar10/test_x.npy', 0.5, 0.97, 0.98],
  ['resnet20_cifar10', 'data/cifar10/train_x.npy', 'data/cifar10/test_x.npy', 0.5, 0.985, 0.98],
  ['efficientnet_lite0', 'data/imagenet500/calib', 'data/imagenet500/eval', 1, 0.96, 0.98],
] as const;

describe.skipIf(!zooAvailable)('trained models', () => {
  let folder: string;
  /** Sizes in bytes of the .epk that `accurate` makes for rpi4: samples to evaluate on change no byte. */
  const accurateEpkBytes = new Map<string, number>();
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgepack-zoo-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const cases = models.flatMap((model) => [['rpi4', model] as const, ['generic-x64', model] as const]);
  test.each(cases)('for %s: %s', async (target, [name, calibration, evaluation, points, agreement, share]) => {
    const entry = zooEntry(name);
    const output = join(folder, `${name}-${target}`);
    const preprocess = zooPreprocess(entry);
    const { report } = await compress(zooPath(entry.model), {
      target,
      recipe: 'accurate',
      allowSlower: true,
      calibration: zooPath(calibration),
      evaluation: zooPath(evaluation),
      ...(preprocess === undefined ? {} : { preprocess }),
      output,
      cacheFolder: join(folder, 'cache'),
    });
    if (target === 'rpi4') accurateEpkBytes.set(name, report!.sizes.epkBytes!);
    const slack = target === 'rpi4' ? 0 : 0.3;
    const { b, c } = report!.accuracy!.paired!;
    const { samples, exact } = report!.accuracy!;
    expect((100 * (b - c)) / samples).toBeLessThanOrEqual(points + slack + (200 * Math.sqrt(b + c)) / samples);
    expect(exact!.agreement!.value).toBeGreaterThanOrEqual(agreement - slack / 10);
    expect(report!.integerShare!.conv).toBeGreaterThanOrEqual(share);
    if (name === 'resnet8_cifar10') expect(report!.sizes.onnxBytes).toBeLessThanOrEqual(92_000);
    const written = readModel(join(output, 'model.onnx'));
    expect(findSaturation(written)!.possible).toBe(target === 'rpi4');
  });

  test.each(models)(
    '%s: the default recipe makes a much smaller .epk and keeps the limit',
    async (...[name, calibration, evaluation]) => {
      const entry = zooEntry(name);
      const preprocess = zooPreprocess(entry);
      const run = async (recipe: string, samples: object) => {
        const { report } = await compress(zooPath(entry.model), {
          target: 'rpi4',
          recipe,
          allowSlower: true,
          calibration: zooPath(calibration),
          ...samples,
          ...(preprocess === undefined ? {} : { preprocess }),
          output: join(folder, `${name}-${recipe}-search`),
          cacheFolder: join(folder, 'cache'),
        });
        return report!;
      };
      const accurateBytes = accurateEpkBytes.get(name) ?? (await run('accurate', {})).sizes.epkBytes!;
      const balanced = await run('balanced', { evaluation: zooPath(evaluation) });
      expect(balanced.sizes.epkBytes!).toBeLessThanOrEqual(0.85 * accurateBytes);
      const { samples, paired } = balanced.accuracy!;
      expect((paired!.b - paired!.c) / samples).toBeLessThanOrEqual(
        0.01 + (2 * Math.sqrt(paired!.b + paired!.c)) / samples,
      );
      const prune = balanced.steps.find(({ pass }) => pass === 'prune-magnitude')!;
      if (!prune.modified) expect(prune.changes[0]!.detail).toMatch(/zeros would make the \.epk .* smaller/);
    },
  );
});

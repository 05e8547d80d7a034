import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { preprocessOf, writeEverySecond, writeSampleSet } from './sample-sets.mjs';

/**
 * What is measured: the fixtures of this repository, and the zoo where it lies beside it.
 * Each entry has a name, the model's path, and a function that writes its two sample sets into a folder and says how
 * they are to be read. A model that is not there has `absent` instead: it is named, not passed over.
 */
export function suite(root, zoo) {
  return [...fixtures(root), ...zooModels(zoo)];
}

function fixtures(root) {
  const data = join(root, 'fixtures', 'digits.npz');
  return ['digits-dense', 'digits-conv'].map((name) => ({
    name,
    model: join(root, 'fixtures', `${name}.onnx`),
    async writeSamples(folder, { calibrationSamples, evaluationSamples }) {
      return {
        calibration: await writeEverySecond(data, 0, calibrationSamples, join(folder, 'calibration')),
        evaluation: await writeEverySecond(data, 1, evaluationSamples, join(folder, 'evaluation')),
        preprocess: 'mnist-0-1',
      };
    },
  }));
}

function zooModels(zoo) {
  const manifest = join(zoo, 'manifest.json');
  if (!existsSync(manifest)) return [{ name: 'zoo', absent: `no ${manifest}` }];
  return JSON.parse(readFileSync(manifest, 'utf8')).models.map((entry) => {
    const model = join(zoo, entry.model);
    if (!existsSync(model)) return { name: entry.name, absent: `no ${model}` };
    return {
      name: entry.name,
      model,
      inZoo: true,
      async writeSamples(folder, { calibrationSamples, evaluationSamples }) {
        return {
          calibration: await writeSampleSet(zoo, entry, 'calibration', calibrationSamples, join(folder, 'calibration')),
          evaluation: await writeSampleSet(zoo, entry, 'evaluation', evaluationSamples, join(folder, 'evaluation')),
          preprocess: preprocessOf(entry),
        };
      },
    };
  });
}

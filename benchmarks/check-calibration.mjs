import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readModel } from '../dist/formats/onnx/read-model.js';
import { loadTarget } from '../dist/index.js';
import { describeNetwork } from '../dist/latency/describe-network.js';
import { predictNetwork } from '../dist/latency/predict-network.js';
import { measureReferences } from '../dist/pipeline/measure-references.js';
import { writeReferenceModels } from '../dist/pipeline/reference-models.js';
import { localMachine } from '../dist/runtime/local-machine.js';
import { readCalibration } from '../dist/targets/load-latency.js';

const silent = { debug() {}, info() {}, warn() {}, progress: () => ({ update() {}, done() {} }) };

/**
 * Measures models on this machine, in floats and as int8 twins made as those of the reference networks, and prints beside it
 * what the calibration predicts of them: without and with the measured original.
 */
export async function checkCalibration(paths, { target: { name }, file, threads }, { seconds }) {
  const target = loadTarget(name);
  const calibration = readCalibration(target, file.path);
  const latency = { profiles: calibration.profiles, transfers: [] };
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-check-'));
  const errors = { fp32: [], int8: [], 'int8, original measured': [] };
  let inside = 0;
  let count = 0;
  const tell = (label, model, measuredMs, answer) => {
    const error = answer.latencyMs / measuredMs - 1;
    const isInside = measuredMs >= answer.lowMs && measuredMs <= answer.highMs;
    errors[label].push(Math.abs(error));
    count++;
    if (isInside) inside++;
    const [ms, low, high] = [answer.latencyMs, answer.lowMs, answer.highMs].map((value) => value.toFixed(2));
    const share = `${error < 0 ? '−' : '+'}${Math.abs(100 * error).toFixed(0)} %`;
    const band = `${low} to ${high}${isInside ? '' : ' (outside)'}`;
    console.log(`| ${model} | ${label} | ${measuredMs.toFixed(2)} | ${ms} | ${share} | ${band} |`);
  };
  console.log(
    '| model | | measured ms | predicted ms | error | 90 % interval |\n| --- | --- | --- | --- | --- | --- |',
  );
  try {
    for (const [i, path] of paths.entries()) {
      const label = path.split('/').slice(-2).join('/');
      const model = readModel(path);
      const network = describeNetwork(model);
      const source = [{ name: `model${i}`, make: () => readModel(path) }];
      const written = await writeReferenceModels(source, ['fp32', 'int8'], target, folder);
      const [{ rows }] = await measureReferences(localMachine(silent), written, {
        options: { threads, maxSeconds: seconds },
        onDisturbance: () => {},
        logger: silent,
      });
      for (const count of threads) {
        const ms = (precision) => rows.find((row) => row.precision === precision && row.threads === count).latencyMs;
        const ask = (precision, originalMs) =>
          predictNetwork(latency, network, { engine: 'onnxruntime', precision, threads: count, originalMs });
        const name = threads.length === 1 ? label : `${label}, ${count} threads`;
        const answers = [
          ['fp32', ms('fp32'), ask('fp32')],
          ['int8', ms('int8'), ask('int8')],
          ['int8, original measured', ms('int8'), ask('int8', ms('fp32'))],
        ];
        for (const [what, measuredMs, answer] of answers) {
          if (answer.missing === undefined) tell(what, name, measuredMs, answer);
          else console.log(`| ${name} | ${what} | ${measuredMs.toFixed(2)} | none: ${answer.missing} | | |`);
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const [label, values] of Object.entries(errors)) {
    if (values.length === 0) continue;
    const sorted = values.sort((a, b) => a - b);
    console.log(`${label}: median error ${(100 * sorted[sorted.length >> 1]).toFixed(0)} % of ${values.length}`);
  }
  console.log(`${inside} of ${count} measurements inside the interval`);
}

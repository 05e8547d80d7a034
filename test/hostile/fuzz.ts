// npm run fuzz -- --seconds 600 --seed 7: looks for models on which the reader or a pass fails, as long as it is told to.
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { damaged, exerciseReader, oddModel } from '../formats/onnx/fuzz-reader.ts';
import { exercisePasses, mutatedModel, RestartedEngine } from './fuzz-passes.ts';
import { model, soundGraph } from './onnx-messages.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
});
const endMs = performance.now() + Number(values.seconds) * 1000;
const engine = new RestartedEngine();
const sound = model(soundGraph());
let runs = 0;
let failed = false;
for (let seed = Number(values.seed); performance.now() < endMs && !failed; seed++) {
  const properties = [
    fc.asyncProperty(mutatedModel, async (bytes) => void (await exercisePasses(bytes, engine))),
    fc.asyncProperty(fc.oneof(oddModel, damaged(sound)), async (bytes) => void exerciseReader(bytes)),
  ];
  for (const property of properties) {
    const result = await fc.check(property, { seed, numRuns: 200 });
    runs += result.numRuns;
    if (!result.failed) continue;
    failed = true;
    const [bytes] = result.counterexample ?? [];
    const error = result.errorInstance instanceof Error ? result.errorInstance.stack : String(result.errorInstance);
    process.stdout.write(
      `${error}\n${fc.defaultReportMessage(result)}\n${Buffer.from(bytes ?? []).toString('base64')}\n`,
    );
  }
}
await engine.close();
process.stdout.write(`${runs} models from seed ${values.seed}${failed ? ', one of them failed' : ''}\n`);
process.exitCode = failed ? 1 : 0;

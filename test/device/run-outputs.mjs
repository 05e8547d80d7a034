// Runs a model on each of some inputs and prints the outputs: started in an emulated processor, or here.
// Arguments: a JSON file with { path, input, dims, samples, extra }.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node');
const { path, dims, samples, exact } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const extra = exact ? { session: { x64quantprecision: '1' } } : {};
const session = await InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3, extra });
const printed = [];
for (const values of samples) {
  const feeds = { [session.inputNames[0]]: new Tensor('float32', Float32Array.from(values), dims) };
  const outputs = await session.run(feeds);
  printed.push(session.outputNames.map((name) => Array.from(outputs[name].data)));
}
process.stdout.write(JSON.stringify(printed));

// Runs models by the engine as it comes, or exactly, and prints the first output of each: started in an emulated processor.
// Arguments: a JSON file with [{ path, dims, values }], values repeated to fill the only input; 'exact' if wanted.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node');
const extra = process.argv[3] === 'exact' ? { session: { x64quantprecision: '1' } } : {};
const outputs = [];
for (const { path, dims, values } of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3, extra });
  const count = dims.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: count }, (_, i) => values[i % values.length]);
  const result = await session.run({ [session.inputNames[0]]: new Tensor('float32', data, dims) });
  outputs.push(Array.from(result[session.outputNames[0]].data));
}
process.stdout.write(JSON.stringify(outputs));

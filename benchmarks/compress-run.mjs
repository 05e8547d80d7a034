import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = fileURLToPath(new URL('./compress-once.mjs', import.meta.url));

/**
 * Compresses a model in a process of its own.
 * @returns seconds, the report, paths by extension, and the peaks of both processes: edgepack's own and the engine's
 */
export async function compressRun(model, options, folder) {
  const job = join(folder, 'job.json');
  const result = join(folder, 'result.json');
  writeFileSync(job, JSON.stringify({ model, options, result }));
  try {
    await promisify(execFile)(process.execPath, [script, job], { maxBuffer: 1 << 28 });
  } catch (error) {
    throw new Error(`compress failed: ${String(error.stderr).trim().split('\n').at(-1) || error.message}`);
  }
  const { seconds, toolPeakBytes, report, outputs } = JSON.parse(readFileSync(result, 'utf8'));
  const output = (extension) => outputs.find(({ path }) => path.endsWith(extension));
  return {
    seconds,
    report,
    onnx: output('.onnx'),
    epk: output('.epk'),
    toolPeakBytes,
    enginePeakBytes: report.memory?.enginePeakBytes ?? null,
  };
}

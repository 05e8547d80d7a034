import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = fileURLToPath(new URL('./compress-once.mjs', import.meta.url));

/**
 * Compresses a model in a process of its own.
 * @returns seconds, the report, paths by extension, the peaks of both processes, edgepack's own and the engine's, and the most
 *   that both held at one time, seen every 10 ms (null where there is no /proc)
 */
export async function compressRun(model, options, folder) {
  const job = join(folder, 'job.json');
  const result = join(folder, 'result.json');
  writeFileSync(job, JSON.stringify({ model, options, result }));
  let heldBytes = null;
  try {
    const running = promisify(execFile)(process.execPath, [script, job], { maxBuffer: 1 << 28 });
    const watching = setInterval(() => {
      const now = residentBytes(running.child.pid);
      if (now !== null) heldBytes = Math.max(heldBytes ?? 0, now);
    }, 10);
    await running.finally(() => clearInterval(watching));
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
    heldBytes,
  };
}

/** Resident memory of a process and those it started, at this moment; null where the system does not tell. */
function residentBytes(pid) {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return pages * 4096 + children.reduce((sum, child) => sum + (residentBytes(child) ?? 0), 0);
  } catch {
    return null;
  }
}

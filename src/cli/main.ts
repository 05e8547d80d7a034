import type { CliApi } from './cli-api.ts';
import { explainMissingPackage } from './explain-missing-package.ts';
import { lazyApi } from './lazy-api.ts';
import { printError } from './print-error.ts';
import { run } from './run.ts';

/**
 * The program: runs the command line of a real process and ends it with the exit code, after what was written is out.
 */
export async function main(process: NodeJS.Process, api: CliApi = lazyApi): Promise<void> {
  const end = (code: number) => process.stderr.write('', () => process.stdout.write('', () => process.exit(code)));
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    // The reader has gone, as in "edgepack inspect model.onnx | head": nothing is wrong.
    process.exit(0);
  });
  process.on('uncaughtException', (error) => end(printError(explainMissingPackage(error), process)));
  end(await run(process, api));
}

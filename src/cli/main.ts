import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import type { CliApi } from './cli-api.ts';
import { printError } from './print-error.ts';
import { run } from './run.ts';

/**
 * The program: runs the command line of a real process and ends it with the exit code, after what was written is out.
 * @param load gives the API; a dependency that is not installed becomes a calm line here.
 */
export async function main(process: NodeJS.Process, load: () => Promise<CliApi>): Promise<void> {
  const end = (code: number) => process.stderr.write('', () => process.stdout.write('', () => process.exit(code)));
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    // The reader has gone, as in "edgepack inspect model.onnx | head": nothing is wrong.
    process.exit(0);
  });
  process.on('uncaughtException', (error) => end(printError(error, process)));
  try {
    end(await run(process, await load()));
  } catch (error) {
    end(printError(explainMissingPackage(error), process));
  }
}

function explainMissingPackage(error: unknown): unknown {
  const name = /Cannot find (?:package|module) '([^'.][^']*)'/.exec(error instanceof Error ? error.message : '')?.[1];
  if (name === undefined) return error;
  return new EdgepackError('engine-missing', `the package ${name} is not installed`, {
    hint: 'Install the dependencies again: npm install --ignore-scripts',
    cause: error,
  });
}

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * Runs one long test over as many seeds as the command line says (--count 200 --seed 1), with the names of the variables by which
 * that test takes them.
 */
export function runSeededTest(file, { count, seed }) {
  const { values } = parseArgs({
    options: { count: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
  });
  const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--config', 'vitest.long.config.ts', file, '--testTimeout', '14400000'],
    {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...process.env, [count]: values.count, [seed]: values.seed },
      stdio: 'inherit',
    },
  );
  process.exitCode = status ?? 1;
}

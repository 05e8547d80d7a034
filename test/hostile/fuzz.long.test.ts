import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

test('npm run fuzz finds nothing in 15 seconds', async () => {
  const script = [
    '--import',
    './scripts/typescript-loader.mjs',
    'test/hostile/fuzz.ts',
    '--seconds',
    '15',
    '--seed',
    '7',
  ];
  const { stdout } = await run(process.execPath, script, { cwd: root });
  expect(stdout).toMatch(/^[1-9]\d* models from seed 7\n$/);
});

test('npm run fuzz:epk finds nothing in a hundred runs', async () => {
  const script = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.fuzz.config.ts'];
  const env = { ...process.env, EDGEPACK_FUZZ_RUNS: '100', NO_COLOR: '1' };
  const { stdout } = await run(process.execPath, script, { cwd: root, env });
  expect(stdout).toMatch(/Tests +\d+ passed \(\d+\)/);
});

// Kills many runs at random moments and looks at what they leave: npm run test:kills -- --count 200 --seed 1
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--config', 'vitest.long.config.ts', 'test/storage/kills.long.test.ts', '--testTimeout', '14400000'],
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, EDGEPACK_KILLS: values.count, EDGEPACK_KILL_SEED: values.seed },
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;

// Measures over ssh while things go wrong, and looks at what comes back and stays: npm run test:ssh-faults -- --count 200 --seed 1
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--config', 'vitest.long.config.ts', 'test/device/faults.long.test.ts', '--testTimeout', '14400000'],
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, EDGEPACK_SSH_FAULTS: values.count, EDGEPACK_SSH_FAULT_SEED: values.seed },
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;

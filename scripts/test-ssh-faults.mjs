// Measures over ssh while things go wrong, and looks at what comes back and stays: npm run test:ssh-faults -- --count 200 --seed 1
import { runSeededTest } from './run-seeded-test.mjs';

runSeededTest('test/device/faults.long.test.ts', { count: 'EDGEPACK_SSH_FAULTS', seed: 'EDGEPACK_SSH_FAULT_SEED' });

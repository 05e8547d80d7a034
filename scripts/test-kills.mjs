// Kills many runs at random moments and looks at what they leave: npm run test:kills -- --count 200 --seed 1
import { runSeededTest } from './run-seeded-test.mjs';

runSeededTest('test/storage/kills.long.test.ts', { count: 'EDGEPACK_KILLS', seed: 'EDGEPACK_KILL_SEED' });

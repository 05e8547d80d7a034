import { mergeConfig } from 'vitest/config';
import long from './vitest.long.config.ts';

/** The gate's bar: 20 regressions of each kind are caught, 20 unchanged models pass. Takes some minutes, on a quiet machine. */
export default mergeConfig(long, {
  test: { env: { EDGEPACK_GATE_RUNS: '20' }, testTimeout: 3_600_000 },
});

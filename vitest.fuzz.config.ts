import { defineConfig } from 'vitest/config';

/** A longer run of the .epk's property tests: `npm run fuzz:epk`. EDGEPACK_PROPERTY_SEED draws other cases, EDGEPACK_FUZZ_RUNS more. */
export default defineConfig({
  test: {
    setupFiles: ['test/setup.ts'],
    include: ['test/formats/epk/fuzz.test.ts'],
    env: { EDGEPACK_FUZZ_RUNS: process.env.EDGEPACK_FUZZ_RUNS ?? '2000' },
    execArgv: ['--import', new URL('./scripts/typescript-loader.mjs', import.meta.url).href],
    testTimeout: 7_200_000,
  },
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    setupFiles: ['test/setup.ts'],
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.long.test.ts'],
    // The engine's process starts from the sources as well; it inherits this.
    execArgv: ['--import', new URL('./scripts/typescript-loader.mjs', import.meta.url).href],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

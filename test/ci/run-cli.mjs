// The program as bin/edgepack.js starts it, from the sources.
import '../../scripts/typescript-loader.mjs';

const { main } = await import('../../src/cli/main.ts');
await main(process);

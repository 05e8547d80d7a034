// `node --import ./scripts/typescript-loader.mjs file.ts`: lets a Node.js without type stripping run the sources as they are.
// Used by the tests, whose engine processes start from src/ and not from dist/.
import { register } from 'node:module';

if (!process.features.typescript) register('./typescript-hooks.mjs', import.meta.url);

// Writes the generated parts of docs/*.md: `npm run docs`. A test fails where they differ from what the code gives.
import { writeFileSync } from 'node:fs';
import { generatedPages } from './docs/generated-pages.mjs';

for (const [name, { url, before, after }] of await generatedPages()) {
  if (after === before) continue;
  writeFileSync(url, after);
  console.log(`docs/${name} was out of date`);
}

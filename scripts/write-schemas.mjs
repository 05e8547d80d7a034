// Writes schemas/*.json from the schemas in the code. Run after `npm run build`; a test fails where they differ.
import { mkdirSync, writeFileSync } from 'node:fs';
import { jsonSchemas } from '../dist/cli/json-schemas.js';

const folder = new URL('../schemas/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(jsonSchemas())) {
  writeFileSync(new URL(name, folder), `${JSON.stringify(schema, null, 2)}\n`);
}

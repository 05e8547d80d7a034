import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What makes two rows rows of the same measurement: the later one takes the place of the earlier. */
const identity = [
  'version',
  'cpu',
  'platform',
  'model',
  'recipe',
  'target',
  'threads',
  'calibrationSamples',
  'evaluationSamples',
];

/** Puts rows into a file of one JSON object a line, one row per version, CPU and measurement. */
export function storeRows(path, rows) {
  const key = (row) => JSON.stringify(identity.map((field) => row[field]));
  const stored = new Map();
  if (existsSync(path)) {
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      if (line.trim() === '') continue;
      const row = JSON.parse(line);
      stored.set(key(row), row);
    }
  }
  for (const row of rows) stored.set(key(row), row);
  writeFileSync(path, Array.from(stored.values(), (row) => `${JSON.stringify(row)}\n`).join(''));
}

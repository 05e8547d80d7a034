import { appendHistory } from '../../src/budget/history.ts';

// Adds rows to the history named by the first argument; the second one tells the commits of several processes apart.
const [path, name, count] = process.argv.slice(2) as [string, string, string];
for (let i = 0; i < Number(count); i++) {
  const row = { model: 'm', target: 'rpi4', time: new Date().toISOString(), status: 'passed', figures: {} } as const;
  await appendHistory(path, { historyVersion: 1, commit: `${name}-${i}`, ...row });
}

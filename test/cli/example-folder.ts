import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exampleReport } from '../report/example-report.ts';

/** A folder in which the examples of a command's help make sense. */
export function exampleFolder(command: string | undefined): string {
  const cwd = mkdtempSync(join(tmpdir(), 'edgepack-examples-'));
  if (command === 'check') {
    writeFileSync(join(cwd, 'edgepack.config.json'), '{"budgets":{"size":{"file":1}}}');
  }
  if (command === 'init') {
    writeFileSync(join(cwd, 'model.onnx'), '');
    for (const name of ['photos', 'out']) mkdirSync(join(cwd, name));
    writeFileSync(join(cwd, 'out', 'report.json'), JSON.stringify(exampleReport()));
  }
  return cwd;
}

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Budgets } from '../../src/budget/budget-schema.ts';
import type { Report } from '../../src/report/report-schema.ts';
import { exampleReport } from '../report/example-report.ts';

/** The example's report with an initializer that takes `addedBytes` more in both files. */
export function grownReport(addedBytes: number): Report {
  const report = exampleReport();
  const { sizes } = report;
  const [first, ...rest] = sizes.initializers;
  return {
    ...report,
    sizes: {
      ...sizes,
      onnxBytes: sizes.onnxBytes + addedBytes,
      epkBytes: sizes.epkBytes! + addedBytes,
      initializers: [
        {
          ...first!,
          quantizedBytes: first!.quantizedBytes + addedBytes,
          codedBytes: first!.codedBytes! + addedBytes,
        },
        ...rest,
      ],
    },
  };
}

export const exampleBudgets: Budgets = {
  size: { file: { max: '110 kB', maxIncrease: '0.5%' }, epk: { maxIncrease: '0.5%', level: 'warn' } },
};

/** A folder with a configuration, the report of a main branch in main/ and one that is to be judged in out/. */
export function exampleProject(addedBytes = 0, budgets: object = exampleBudgets): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-project-'));
  for (const [name, report] of [
    ['main', exampleReport()],
    ['out', grownReport(addedBytes)],
  ] as const) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'report.json'), JSON.stringify(report));
  }
  writeFileSync(join(folder, 'edgepack.config.json'), JSON.stringify({ target: 'rpi4', budgets }, null, 2));
  return folder;
}

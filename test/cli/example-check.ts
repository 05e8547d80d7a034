import type { CheckItem, CheckResult } from '../../src/budget/check-schema.ts';

const passed: CheckItem = {
  metric: 'size.file',
  kind: 'max',
  level: 'error',
  outcome: 'passed',
  unit: 'bytes',
  value: 105_000,
  interval: null,
  limit: 110_000,
  difference: -5_000,
  baseline: 104_000,
  message: '.onnx file 105,000 bytes is within the limit of 110,000 bytes',
  responsible: [],
  config: { key: 'budgets.size.file.max', file: 'edgepack.config.json', line: 5 },
};

/** A limit of the example with the parts of `change`. */
export function exampleItem(change: Partial<CheckItem> = {}): CheckItem {
  return { ...passed, ...change };
}

/** A limit that is not met, with text in it that every output has to escape. */
export const overBudget: CheckItem = exampleItem({
  metric: 'size.epk',
  outcome: 'failed',
  value: 82_000,
  limit: 81_000,
  difference: 1_000,
  baseline: 80_000,
  message: '.epk file 82,000 bytes is more than the limit of 81,000 bytes',
  responsible: [{ name: 'w<1>&"\'|%0A::@x', detail: '+2.00 kB (new)' }],
  config: { key: 'budgets.size.epk.max', file: 'edgepack.config.json', line: 7 },
});

export function exampleCheck(change: Partial<CheckResult> = {}): CheckResult {
  return {
    checkVersion: 1,
    status: 'passed',
    subject: { path: 'out', model: 'digits', target: 'rpi4' },
    baseline: { path: 'main/report.json', model: 'digits', target: 'rpi4' },
    items: [passed],
    figures: [
      { metric: 'size.file', unit: 'bytes', value: 105_000, baseline: 104_000 },
      { metric: 'size.epk', unit: 'bytes', value: 82_000, baseline: 80_000 },
      { metric: 'accuracy.top1', unit: 'share', value: 0.965, baseline: 0.97 },
    ],
    warnings: [],
    versions: { node: '20.20.2', edgepack: '0.1.0' },
    commandLine: 'edgepack check',
    ...change,
  };
}

import type { Budgets } from '../budget/budget-schema.ts';
import type { CheckItem, CheckResult } from '../budget/check-schema.ts';
import { severityOf } from '../budget/judge.ts';
import { detailsOf } from '../budget/render-junit.ts';
import { printable } from '../diagnostics/printable.ts';
import { wrapWords } from '../report/wrap-words.ts';
import type { Style } from './paint.ts';

const verdicts: Readonly<Record<CheckResult['status'], string>> = {
  passed: 'within budget',
  failed: 'over budget',
  refused: 'not judged: a limit cannot be judged as it stands',
};
const WORD_COLUMNS = 11;
const METRIC_COLUMNS = 20;

/** What a check found, for a person: what is wrong first, with the layers and the line of the limit. */
export function renderCheck(result: CheckResult, style: Style, undecided?: Budgets['undecided']): string {
  const { subject, baseline, items, warnings, status } = result;
  const against = baseline === null ? '' : `, against ${printable(baseline.path, 200)}`;
  const headline = `${printable(subject.model)} for ${printable(subject.target)}${against}: ${verdicts[status]}`;
  const lines = [style.paint(headline, status === 'passed' ? 'title' : 'alarm'), ''];
  const order = { error: 0, warn: 1, none: 2 } as const;
  const sorted = [...items].sort((a, b) => order[severityOf(a, undecided)] - order[severityOf(b, undecided)]);
  for (const item of sorted) lines.push(...itemLines(item, severityOf(item, undecided), style));
  for (const { message } of warnings) lines.push('', `  ${style.paint(`warning: ${printable(message, 300)}`, 'bad')}`);
  return `${lines.join('\n')}\n`;
}

function itemLines(item: CheckItem, severity: 'none' | 'warn' | 'error', style: Style): string[] {
  const tone =
    severity === 'none' ? (item.outcome === 'passed' ? 'good' : 'muted') : severity === 'warn' ? 'bad' : 'alarm';
  const word =
    item.outcome === 'passed' ? 'ok' : severity === 'warn' && item.outcome === 'failed' ? 'warning' : item.outcome;
  const indent = ' '.repeat(2 + WORD_COLUMNS + METRIC_COLUMNS);
  const room = Math.max(30, style.columns - indent.length - 1);
  const [first = '', ...rest] = wrapWords(printable(item.message, 500), room);
  const lines = [`  ${style.paint(word.padEnd(WORD_COLUMNS), tone)}${item.metric.padEnd(METRIC_COLUMNS)}${first}`];
  lines.push(...rest.map((line) => indent + line));
  if (severity === 'none') return lines;
  for (const detail of detailsOf(item)) {
    lines.push(...wrapWords(printable(detail, 300), room).map((line) => indent + style.paint(line, 'muted')));
  }
  return lines;
}

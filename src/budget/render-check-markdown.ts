import { printable } from '../diagnostics/printable.ts';
import { escapeMarkdown } from '../report/render-markdown.ts';
import type { Budgets } from './budget-schema.ts';
import type { CheckItem, CheckResult, Figure } from './check-schema.ts';
import { severityOf } from './judge.ts';
import { formatQuantity, formatShare } from './judgement.ts';
import { detailsOf } from './render-junit.ts';

const headlines: Readonly<Record<CheckResult['status'], string>> = {
  passed: 'within budget',
  failed: 'over budget',
  refused: 'budgets that cannot be judged',
};

/** First line of the Markdown, by which a comment that is to be replaced is found again. */
export const commentMarker = '<!-- edgepack check -->';

/** A check as a comment on a pull request or as a step's summary: what changed, what is over, what was judged. */
export function renderCheckMarkdown(result: CheckResult, undecided?: Budgets['undecided']): string {
  const { subject, baseline, items, figures, warnings, status } = result;
  const shown = items.filter((item) => severityOf(item, undecided) !== 'none');
  const sections = [
    commentMarker,
    `## edgepack: ${text(subject.model)} for ${text(subject.target)} is ${headlines[status]}`.replace(
      'is budgets',
      'has budgets',
    ),
    shown.map((item) => problem(item, severityOf(item, undecided))).join('\n'),
    figuresTable(figures, baseline !== null),
    baseline === null ? '' : `Baseline: ${text(baseline.path)}`,
    warnings.map(({ message }) => `> ${text(message)}`).join('\n'),
    `<details><summary>${items.length} ${items.length === 1 ? 'limit' : 'limits'}</summary>\n\n${limitsTable(items)}\n\n</details>`,
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function problem(item: CheckItem, severity: 'none' | 'warn' | 'error'): string {
  const mark = severity === 'error' ? '**Error**' : '**Warning**';
  return [
    `- ${mark} \`${item.metric}\`: ${text(item.message)}`,
    ...detailsOf(item).map((line) => `  - ${text(line)}`),
  ].join('\n');
}

function figuresTable(figures: readonly Figure[], hasBaseline: boolean): string {
  if (figures.length === 0) return '';
  const rows = figures.map((figure) => {
    const { metric, unit, value, baseline } = figure;
    if (!hasBaseline) return `| ${metric} | ${formatQuantity(value, unit)} |`;
    const before = baseline === null ? '' : formatQuantity(baseline, unit);
    return `| ${metric} | ${before} | ${formatQuantity(value, unit)} | ${changeOf(figure)} |`;
  });
  const header = hasBaseline
    ? ['| | baseline | now | change |', '| --- | ---: | ---: | ---: |']
    : ['| | now |', '| --- | ---: |'];
  return [...header, ...rows].join('\n');
}

/** Shares and points in points, everything else in percent. */
export function changeOf({ unit, value, baseline }: Figure): string {
  if (baseline === null) return '';
  if (value === baseline) return '±0';
  if (unit === 'share' || unit === 'points') {
    const points = (value - baseline) * (unit === 'share' ? 100 : 1);
    return `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)} points`;
  }
  return baseline === 0 ? '' : formatShare(value / baseline - 1);
}

function limitsTable(items: readonly CheckItem[]): string {
  return [
    '| limit | outcome | judgement |',
    '| --- | --- | --- |',
    ...items.map(({ metric, kind, outcome, message }) => `| ${metric} ${kind} | ${outcome} | ${text(message)} |`),
  ].join('\n');
}

function text(foreign: string): string {
  // An @ before a name would call someone.
  return escapeMarkdown(printable(foreign, 500)).replaceAll('@', '&#64;');
}

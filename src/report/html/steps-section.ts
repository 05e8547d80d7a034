import { formatBytes, formatDuration, formatPercent } from '../number-format.ts';
import { plural } from '../report-findings.ts';
import type { Report, ReportStep } from '../report-schema.ts';
import { dataTable, fold } from './data-table.ts';
import { inlineBar } from './inline-bar.ts';
import { type Content, html, type Markup } from './markup.ts';

/** Facts that are listed of one step; report.json has them all. */
const MAX_CHANGES = 150;

/** The bytes after every step, and what every step did. */
export function stepsSection({ sizes, steps }: Report): Markup {
  const stages = [
    { name: 'Original', detail: 'the file as it came' as Content, sizeBytes: sizes.originalBytes },
    ...steps.map((step) => ({
      name: step.name,
      detail: step.modified ? summarize(step) : 'nothing to do',
      sizeBytes: step.onnxBytes,
    })),
    ...(sizes.epkBytes === null
      ? []
      : [{ name: 'Entropy-code', detail: 'the .epk; lossless', sizeBytes: sizes.epkBytes }]),
  ];
  const largest = Math.max(1, ...stages.map(({ sizeBytes }) => sizeBytes));
  const rows = stages.map(({ name, detail, sizeBytes }, i) => {
    const before = stages[i - 1]?.sizeBytes;
    return [
      html`<span class="stage">${name}</span> <span class="detail">${detail}</span>`,
      inlineBar(i === 0 ? 'before' : 'after', sizeBytes / largest),
      formatBytes(sizeBytes),
      before === undefined ? '' : changeOf(before, sizeBytes),
    ];
  });
  const table = dataTable(
    'Bytes after every step',
    [
      { title: 'Step', kind: 'text' },
      { title: '', kind: 'chart' },
      { title: 'Size', kind: 'number' },
      { title: 'Change', kind: 'number' },
    ],
    rows,
  );
  const isPruned = steps.some((step) => step.pass === 'prune-magnitude' && step.modified);
  return html`<section id="bytes"><h2>Bytes, step by step</h2>
${table}
${isPruned && html`<p class="note">Zeros take as much room as other weights in an .onnx and do not speed up a dense engine: what pruning saves shows in the .epk.</p>`}
${steps.map(stepDetails)}</section>`;
}

/** "17 × fold-constants, 2 × upgrade-opset": the commonest first. */
function summarize({ changes }: ReportStep): string {
  const counts = new Map<string, number>();
  for (const { kind } of changes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, 3).map(([kind, count]) => `${count} × ${kind}`);
  return `${shown.join(', ')}${sorted.length > shown.length ? ` and ${plural(sorted.length - shown.length, 'other kind')}` : ''}`;
}

function changeOf(before: number, after: number): string {
  if (before === after) return '±0 %';
  const change = after / Math.max(before, 1) - 1;
  const size = Math.abs(change);
  const text = formatPercent(size, size < 0.00095 ? 3 : size < 0.0995 ? 1 : 0);
  return `${change < 0 ? '−' : '+'}${text}`;
}

function stepDetails({ name, pass, changes, durationMs }: ReportStep): Markup | false {
  if (changes.length === 0) return false;
  const shown = changes.slice(0, MAX_CHANGES);
  const table = dataTable(
    `What the step ${name} did`,
    [
      { title: 'Subject', kind: 'name' },
      { title: 'What', kind: 'text' },
      { title: 'Detail', kind: 'text' },
    ],
    shown.map(({ kind, subject, detail }) => [subject, kind, detail]),
  );
  const rest = changes.length - shown.length;
  return fold(
    html`${name}: ${plural(changes.length, 'fact')} <span class="detail">${pass}, ${formatDuration(durationMs)}</span>`,
    [table, rest > 0 && html`<p class="note">${plural(rest, 'more fact')} in report.json.</p>`],
  );
}

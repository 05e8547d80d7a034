import { wilsonInterval } from '../../evaluation/statistics.ts';
import { formatDecibels, formatPercent, formatPoints } from '../number-format.ts';
import { comparisonRows, plural } from '../report-findings.ts';
import type { Report, ReportComparison, ReportStep } from '../report-schema.ts';
import { dataTable } from './data-table.ts';
import { inlineBar } from './inline-bar.ts';
import { type Content, html, type Markup } from './markup.ts';

type Share = ReportComparison['top1'];

/** All figures of accuracy with their intervals, and the loss split into the steps that caused it. */
export function accuracySection(report: Report): Markup | false {
  const scores = scoresPart(report);
  const split = splitPart(report);
  if (scores === false && split === false) return false;
  return html`<section id="loss"><h2>Accuracy</h2>${scores}${split}</section>`;
}

function scoresPart(report: Report): Markup | false {
  const { accuracy } = report;
  if (accuracy === null) return false;
  const rows: Content[][] = [
    ['original', share(accuracy.original.top1), share(accuracy.original.top5), '', '', ''],
    ...comparisonRows(report).map(({ name, comparison }) => [
      name,
      share(comparison.top1),
      share(comparison.top5),
      share(comparison.agreement),
      decibels(comparison.sqnrDb),
      divergence(comparison.klDivergence),
    ]),
  ];
  const columns = ['Model', 'Top-1', 'Top-5', 'Agreement', 'SQNR', 'KL, nats'];
  const used = columns.map((_, i) => i === 0 || rows.some((row) => row[i] !== ''));
  const table = dataTable(
    'Accuracy on the evaluation samples',
    columns.filter((_, i) => used[i]).map((title, i) => ({ title, kind: i === 0 ? 'text' : 'number' })),
    rows.map((row) => row.filter((_, i) => used[i])),
  );
  const { paired, note } = accuracy;
  return html`<p class="lead">On ${plural(accuracy.samples, 'evaluation sample')}, which decided nothing. Beside a share stands its 95 % interval.</p>${table}
${
  paired !== null &&
  html`<p class="note">Sample by sample, ${paired.b} right before and wrong after, ${paired.c} the other way round: ${formatPoints(-paired.difference)}, standard error ${(100 * paired.standardError).toFixed(2)} points.</p>`
}${note !== null && html`<p class="note">${note}.</p>`}`;
}

/** What each step added to the distance from the original, in the measure that all of them have. */
function splitPart({ steps }: Report): Markup | false {
  const measured = steps.filter(
    (step): step is ReportStep & { loss: NonNullable<ReportStep['loss']> } =>
      step.loss !== null && step.loss.samples > 0,
  );
  if (measured.length === 0) return false;
  const hasClasses = measured.some(({ loss }) => loss.agreement !== null);
  const distance = ({ loss }: (typeof measured)[number]) =>
    hasClasses ? 1 - (loss.agreement ?? 1) : loss.sqnrDb === null ? 0 : 10 ** (-loss.sqnrDb / 10);
  const largest = Math.max(...measured.map(distance));
  let before = 0;
  const rows = measured.map((step) => {
    const { loss } = step;
    const now = distance(step);
    const start = Math.min(before, now);
    const added = now - before;
    before = now;
    const { agreement } = loss;
    return [
      step.name,
      largest > 0 ? inlineBar('after', now / largest, start / largest) : inlineBar('after', 0),
      hasClasses ? (agreement === null ? '' : formatPoints(added)) : '',
      agreement === null ? '' : share(wilsonInterval(Math.round(agreement * loss.samples), loss.samples)),
      divergence(loss.klDivergence),
      decibels(loss.sqnrDb),
      loss.top1 === null ? '' : formatPercent(loss.top1),
      loss.samples,
    ];
  });
  const columns = [
    { title: 'After', kind: 'text' },
    { title: hasClasses ? 'Answers that changed' : 'Noise power', kind: 'chart' },
    { title: 'Added by it', kind: 'number' },
    { title: 'Agreement', kind: 'number' },
    { title: 'KL, nats', kind: 'number' },
    { title: 'SQNR', kind: 'number' },
    { title: 'Top-1', kind: 'number' },
    { title: 'Samples', kind: 'number', optional: true },
  ] as const;
  const used = columns.map((_, i) => i < 2 || rows.some((row) => row[i] !== ''));
  return html`<h3>Which step cost what</h3>
<p class="lead">The model after each step against the original; the pale part of a bar was there before the step. ${
    hasClasses
      ? 'Measured on the selection samples, the part of the calibration data that choices are made on: use it to compare steps, and quote the figures above.'
      : 'Measured on a few samples, or on made-up inputs where there are none.'
  }</p>
${dataTable(
  'Loss by step',
  columns.filter((_, i) => used[i]),
  rows.map((row) => row.filter((_, i) => used[i])),
)}`;
}

function share(value: Share): Content {
  if (value === null) return '';
  const [low, high] = [value.low, value.high].map((end) => (end * 100).toFixed(1));
  return html`${formatPercent(value.value)} <span class="interval">${low} – ${high}</span>`;
}

function decibels(value: number | null): string {
  return value === null ? 'identical' : formatDecibels(value);
}

function divergence(value: number | null): string {
  if (value === null) return '';
  return value === 0 ? '0' : value >= 0.001 ? value.toPrecision(3) : value.toExponential(1).replace('-', '−');
}

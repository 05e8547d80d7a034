import { bin, ticks } from 'd3-array';
import { formatDuration } from '../number-format.ts';
import { plural } from '../report-findings.ts';
import type { Report, ReportLatency } from '../report-schema.ts';
import { dataTable } from './data-table.ts';
import type { Mark } from './inline-bar.ts';
import { html, type Markup } from './markup.ts';
import { responsiveChart } from './responsive-chart.ts';

interface Distribution {
  readonly name: string;
  readonly mark: Mark;
  readonly medianMs: number;
  readonly interval: { readonly low: number; readonly high: number };
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly sorted: number[];
}

const ROW_PX = 96;
const AXIS_PX = 30;

/** How the runs of both models are distributed on this host. */
export function latencySection({ latency: { host }, target }: Report): Markup | false {
  if (host === null || host.original.samples.length === 0 || host.compressed.samples.length === 0) return false;
  const distributions = [
    distribution('original', 'before', host.original),
    distribution('compressed', 'after', host.compressed),
  ];
  // A rare hiccup of the host must not squeeze everything else into a corner.
  const end = Math.max(...distributions.map(({ p90Ms }) => p90Ms)) * 1.35;
  const beyond = distributions.map(({ sorted }) => sorted.filter((value) => value > end).length);
  const hidden = beyond.reduce((a, b) => a + b, 0);
  const label = distributions
    .map(
      ({ name, medianMs, p90Ms }) =>
        `${name}: median ${formatDuration(medianMs)}, 90 % within ${formatDuration(p90Ms)}`,
    )
    .join('; ');
  return html`<section id="latencies"><h2>Latency, run by run</h2>
<p class="lead">${host.label.charAt(0).toUpperCase()}${host.label.slice(1)}. Both models took turns, so that what else the host did met both.</p>
${responsiveChart((width) => drawing(distributions, end, width, `Distributions of latency. ${label}.`))}
${hidden > 0 && html`<p class="note">${plural(hidden, 'slower run')} lie${hidden === 1 ? 's' : ''} right of the picture, up to ${formatDuration(Math.max(...distributions.map(({ sorted }) => sorted.at(-1)!)))}.</p>`}
${dataTable(
  `Latency on this host, not on ${target.displayName}`,
  [
    { title: 'Model', kind: 'text' },
    { title: 'Median', kind: 'number' },
    { title: '95 % interval', kind: 'number' },
    { title: '90 % within', kind: 'number' },
    { title: '99 % within', kind: 'number', optional: true },
    { title: 'Fastest', kind: 'number', optional: true },
    { title: 'Slowest', kind: 'number', optional: true },
    { title: 'Runs listed', kind: 'number', optional: true },
  ],
  distributions.map(({ name, medianMs, interval, p90Ms, p99Ms, sorted }) => [
    name,
    formatDuration(medianMs),
    `${formatDuration(interval.low)} – ${formatDuration(interval.high)}`,
    formatDuration(p90Ms),
    formatDuration(p99Ms),
    formatDuration(sorted[0]!),
    formatDuration(sorted.at(-1)!),
    sorted.length,
  ]),
)}</section>`;
}

function distribution(
  name: string,
  mark: Mark,
  { medianMs, medianLowMs, medianHighMs, p90Ms, p99Ms, samples }: ReportLatency['original'],
): Distribution {
  const interval = { low: medianLowMs, high: medianHighMs };
  return { name, mark, medianMs, interval, p90Ms, p99Ms, sorted: [...samples].sort((a, b) => a - b) };
}

function drawing(distributions: readonly Distribution[], end: number, width: number, label: string): Markup {
  const x = (ms: number) => (ms / end) * (width - 2) + 1;
  const count = Math.round(width / 7);
  const height = distributions.length * ROW_PX + AXIS_PX;
  const axis = ticks(0, end, width / 110).map(
    (tick) =>
      html`<line class="grid" x1="${px(x(tick))}" x2="${px(x(tick))}" y1="0" y2="${height - AXIS_PX}"/><text class="tick" x="${px(Math.min(width - 4, Math.max(2, x(tick))))}" y="${height - 10}" text-anchor="${tick === 0 ? 'start' : x(tick) > width - 30 ? 'end' : 'middle'}">${tick === 0 ? '0' : formatDuration(tick)}</text>`,
  );
  const rows = distributions.map(({ name, mark, medianMs, p90Ms, sorted }, row) => {
    const base = (row + 1) * ROW_PX - 10;
    const edges = Array.from({ length: count - 1 }, (_, i) => ((i + 1) * end) / count);
    const bins = bin().domain([0, end]).thresholds(edges)(sorted.filter((value) => value <= end));
    const tallest = Math.max(...bins.map((values) => values.length));
    const bars = bins
      .filter((values) => values.length > 0)
      .map((values) => {
        const barHeight = Math.max(2, (values.length / tallest) * (ROW_PX - 44));
        return html`<rect class="fill-${mark}" x="${px(x(values.x0!))}" y="${px(base - barHeight)}" width="${px(Math.max(1, x(values.x1!) - x(values.x0!) - 1))}" height="${px(barHeight)}"><title>${plural(values.length, 'run')} from ${formatDuration(values.x0!)} to ${formatDuration(values.x1!)}</title></rect>`;
      });
    const figures = `median ${formatDuration(medianMs)}, ▴ 90 % ${formatDuration(p90Ms)}`;
    // The text stands right of the median, or as far left as it must to stay inside.
    const at = Math.max(0, Math.min(x(medianMs) + 6, width - 7.8 * (name.length + figures.length + 1)));
    return html`<line class="axis" x1="0" x2="${width}" y1="${base}" y2="${base}"/>${bars}<line class="median" x1="${px(x(medianMs))}" x2="${px(x(medianMs))}" y1="${base - ROW_PX + 28}" y2="${base}"/><path class="quantile" d="M${px(x(p90Ms))} ${base + 1}l5 7h-10z"><title>90 % of the runs within ${formatDuration(p90Ms)}</title></path><text class="chart-title" x="${px(at)}" y="${base - ROW_PX + 20}">${name} <tspan class="tick">${figures}</tspan></text>`;
  });
  return html`<svg class="latency" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${axis}${rows}</svg>`;
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

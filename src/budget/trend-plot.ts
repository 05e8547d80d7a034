import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { printable } from '../diagnostics/printable.ts';
import { plural } from '../report/report-findings.ts';
import type { Unit } from './check-schema.ts';
import { escapeXml } from './escape-xml.ts';
import { type History, metricsOf, seriesOf } from './history.ts';
import { unitOf } from './judge.ts';
import { formatQuantity } from './judgement.ts';
import type { Metric } from './resolve-budgets.ts';

const WIDTH = 720;
const PANEL_HEIGHT = 130;
const HEAD_HEIGHT = 34;
const LEFT = 120;
const RIGHT = 20;
/** Commits that are drawn: the latest. */
const MAX_POINTS = 100;

/** Paper, ink, axis, grid and line, in light and in dark. */
const colors = [
  ['#fff', '#1c2530', '#56616e', '#dfe4ea', '#1f6fb2'],
  ['#14191f', '#e8edf2', '#a5b0bc', '#2e3742', '#6cb6f5'],
] as const;

const titles: Readonly<Record<Metric, string>> = {
  'size.file': '.onnx size',
  'size.epk': '.epk size',
  'size.parameters': 'parameters',
  'accuracy.top1': 'top-1 accuracy',
  'accuracy.drop': 'loss against the original',
  'accuracy.agreement': 'agreement with the original',
  'latency.host': 'latency of the checking host (compare with care)',
  'latency.device': 'latency on the device',
  'latency.predicted': 'predicted latency, upper end',
  'memory.engine': "engine's peak memory",
  'memory.activations': 'peak memory of activations',
};

/** The metrics of a model on a target over its commits, one panel each, as SVG that reads in light and dark. */
export function trendPlot(history: History, model: string, target: string): string {
  const shown = metricsOf(history, model, target);
  const height = HEAD_HEIGHT + Math.max(1, shown.length) * PANEL_HEIGHT;
  const title = escapeXml(`${printable(model)} for ${printable(target)}, commit by commit`);
  const summary = shown.map((metric) => {
    const series = seriesOf(history, model, target, metric);
    return `${titles[metric]}: ${formatQuantity(series.at(-1)!.value, unitOf(metric))} after ${plural(series.length, 'commit')}`;
  });
  const panels = shown.map((metric, i) =>
    panel(metric, seriesOf(history, model, target, metric).slice(-MAX_POINTS), HEAD_HEIGHT + i * PANEL_HEIGHT),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" class="edgepack-trend" role="img" aria-labelledby="title summary">`,
    `<title id="title">${title}</title>`,
    `<desc id="summary">${escapeXml(summary.join('; '))}</desc>`,
    '<style>',
    ...['', '  @media (prefers-color-scheme: dark) '].map((media, dark) => styleOf(media, colors[dark]!)),
    '</style>',
    `<text x="12" y="22" font-size="15" font-weight="600">${title}</text>`,
    ...(shown.length === 0 ? [`<text x="12" y="${HEAD_HEIGHT + 20}">nothing was measured yet</text>`] : panels),
    '</svg>',
    '',
  ].join('\n');
}

/** Rules that hold inside this plot only, should it be put into a page. */
function styleOf(media: string, [paper, ink, axis, grid, stroke]: (typeof colors)[number]): string {
  const rules = [
    ['', `background: ${paper}; color: ${ink}; font: 12px system-ui, "Segoe UI", Arial, sans-serif`],
    [' text', 'fill: currentColor'],
    [' .axis', `fill: ${axis}`],
    [' .grid', `stroke: ${grid}`],
    [' path', `fill: none; stroke: ${stroke}; stroke-width: 2`],
    [' circle', `fill: ${stroke}`],
  ];
  const text = rules.map(([selector, rule]) => `.edgepack-trend${selector} { ${rule} }`).join(' ');
  return media === '' ? `  ${text}` : `${media}{ ${text} }`;
}

function panel(
  metric: Metric,
  series: readonly { readonly commit: string; readonly value: number }[],
  top: number,
): string {
  const unit = unitOf(metric);
  const values = series.map(({ value }) => value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  // A flat line lies in the middle of its panel.
  const room = high > low ? 0 : Math.max(Math.abs(high) * 0.01, 1e-6);
  const y = scaleLinear([low - room, high + room], [top + PANEL_HEIGHT - 26, top + 30]);
  const x = scaleLinear([0, Math.max(1, series.length - 1)], [LEFT, WIDTH - RIGHT]);
  const path = line<number>(
    (_, i) => round(x(i)),
    (value) => round(y(value)),
  );
  const ticks = high > low ? [low, high] : [low];
  const commit = (at: number) => escapeXml(printable(series[at]!.commit, 10));
  const bottom = top + PANEL_HEIGHT - 8;
  return [
    `<g><text x="12" y="${top + 16}" font-weight="600">${titles[metric]}</text>`,
    ...ticks.map((tick) => {
      const at = round(y(tick));
      return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text class="axis" x="${LEFT - 8}" y="${at + 4}" text-anchor="end">${escapeXml(short(tick, unit))}</text>`;
    }),
    `<path d="${path(values) ?? ''}"/>`,
    ...series.map(
      ({ commit: name, value }, i) =>
        `<circle cx="${round(x(i))}" cy="${round(y(value))}" r="2.5"><title>${escapeXml(`${printable(name, 40)}: ${formatQuantity(value, unit)}`)}</title></circle>`,
    ),
    `<text class="axis" x="${LEFT}" y="${bottom}">${commit(0)}</text>`,
    ...(series.length > 1
      ? [`<text class="axis" x="${WIDTH - RIGHT}" y="${bottom}" text-anchor="end">${commit(series.length - 1)}</text>`]
      : []),
    '</g>',
  ].join('\n');
}

function short(value: number, unit: Unit): string {
  return formatQuantity(value, unit).replace(' bytes', ' B');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

import { formatBytes, formatPercent, formatSizeChange } from '../number-format.ts';
import { plural } from '../report-findings.ts';
import type { Report } from '../report-schema.ts';
import { type Column, dataTable, fold } from './data-table.ts';
import { inlinePair } from './inline-bar.ts';
import { bytesByLayer, type LayerBytes } from './layer-bytes.ts';
import { type Content, html, type Markup } from './markup.ts';
import { responsiveChart } from './responsive-chart.ts';
import { type TreemapCell, treemapCells } from './treemap-chart.ts';

/** Cells that are drawn one by one, and the share of a file below which nothing can be seen; the rest is one cell. */
const MAX_CELLS = 120;
const MIN_CELL_SHARE = 0.0007;
const SHOWN_ROWS = 8;
const MAX_ROWS = 600;
const GAP_PX = 28;

const kindNames: readonly (readonly [TreemapCell['kind'], string])[] = [
  ['before', 'original'],
  ['int8', 'int8'],
  ['float', 'float, hatched'],
  ['other', 'other: graph, names, integers'],
];

/** Where the bytes are, by layer, before and after: two treemaps at one scale, and a table. */
export function treemapSection(report: Report): Markup {
  const { sizes } = report;
  const layers = bytesByLayer(report);
  const after = sizes.epkBytes === null ? 'onnx' : 'epk';
  const afterBytes = sizes.epkBytes ?? sizes.onnxBytes;
  const pick = (layer: LayerBytes) => layer.epkBytes ?? layer.onnxBytes;
  const largest = layers.reduce((a, b) => (b.originalBytes > a.originalBytes ? b : a));
  const label =
    `Two treemaps at one scale: ${formatBytes(sizes.originalBytes)} before, ${formatBytes(afterBytes)} after. The largest part is ` +
    `${largest.name.slice(0, 100)} with ${formatBytes(largest.originalBytes)} before and ${formatBytes(pick(largest))} after. The table below has the numbers.`;
  const isVisible = (layer: LayerBytes) =>
    layer.originalBytes >= MIN_CELL_SHARE * sizes.originalBytes || pick(layer) >= MIN_CELL_SHARE * afterBytes;
  const drawn = layers.filter(isVisible).slice(0, MAX_CELLS);
  const isDrawn = new Set(drawn);
  const rest = layers.filter((layer) => !isDrawn.has(layer));
  const before = cellsOf(drawn, rest, (layer) => layer.originalBytes, 'before');
  const compressed = cellsOf(drawn, rest, pick);
  const kinds = new Set(compressed.filter(({ sizeBytes }) => sizeBytes > 0).map(({ kind }) => kind));
  const legend = kindNames
    .filter(([kind]) => kind === 'before' || kinds.has(kind))
    .map(([kind, text]) => html`<li>${swatch(kind)} ${text}</li>`);
  const chart = responsiveChart((width, size) => {
    const root = Math.sqrt(afterBytes / Math.max(1, sizes.originalBytes));
    const isStacked = size === 'narrow';
    // One scale: both have the same shape, and areas stand for bytes in both.
    const unit = isStacked ? width / Math.max(1, root) : (width - GAP_PX) / (1 + root);
    const shape = isStacked ? 0.8 : Math.min(0.56, 440 / (unit * Math.max(1, root)));
    const title = 22;
    const first = { x: 0, y: title, width: unit, height: unit * shape };
    const second = isStacked
      ? { x: 0, y: first.y + first.height + 16 + title, width: unit * root, height: first.height * root }
      : { x: unit + GAP_PX, y: title, width: unit * root, height: first.height * root };
    const height = Math.ceil(Math.max(first.y + first.height, second.y + second.height));
    const patternId = `hatch-${size}`;
    return html`<svg class="treemap" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
<defs><pattern id="${patternId}" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch-line" x1="0" x2="0" y1="0" y2="7"/></pattern></defs>
<text class="chart-title" x="0" y="13">Before: ${formatBytes(sizes.originalBytes)}</text>
<g>${treemapCells(before, first, patternId)}</g>
<text class="chart-title" x="${second.x}" y="${second.y - 9}">After: ${formatBytes(afterBytes)}${size === 'wide' && `, ${formatSizeChange(sizes.originalBytes, afterBytes)}`}</text>
<g>${treemapCells(compressed, second, patternId)}</g></svg>`;
  });
  return html`<section id="layers-bytes"><h2>Where the bytes are</h2>
<p class="lead">Each rectangle is a layer, its area the bytes of its constants; both pictures have one scale.</p>
<ul class="legend">${legend}</ul>
${chart}<p class="readout" aria-live="polite"></p>
${layersTable(
  layers,
  after,
  report.steps.some((step) => step.pass === 'prune-magnitude' && step.modified),
)}</section>`;
}

function swatch(kind: TreemapCell['kind']): Markup {
  return html`<svg width="14" height="14" aria-hidden="true"><rect class="cell-${kind}" width="14" height="14"/>${
    kind === 'float' && html`<path class="hatch-line" d="M0 9 9 0M5 14 14 5"/>`
  }</svg>`;
}

function cellsOf(
  drawn: readonly LayerBytes[],
  rest: readonly LayerBytes[],
  pick: (layer: LayerBytes) => number,
  kind?: 'before',
): TreemapCell[] {
  const cells = drawn.map((layer, index): TreemapCell => {
    return { name: layer.name, kind: kind ?? layer.kind, sizeBytes: pick(layer), index };
  });
  if (rest.length === 0) return cells;
  const name = plural(rest.length, 'smaller part');
  const sizeBytes = rest.reduce((sum, layer) => sum + pick(layer), 0);
  return [...cells, { name, kind: kind ?? 'other', sizeBytes, index: drawn.length }];
}

function layersTable(layers: readonly LayerBytes[], after: 'onnx' | 'epk', isPruned: boolean): Markup {
  const largest = Math.max(1, ...layers.map(({ originalBytes }) => originalBytes));
  const columns: Column[] = [
    { title: 'Layer', kind: 'name' },
    { title: '', kind: 'chart' },
    { title: 'Before', kind: 'number' },
    { title: '.onnx', kind: 'number', optional: true },
    ...(after === 'epk' ? [{ title: '.epk', kind: 'number' } as const] : []),
    { title: 'Change', kind: 'number', optional: true },
    ...(isPruned ? [{ title: 'Zeros', kind: 'number' } as const] : []),
  ];
  const row = (layer: LayerBytes): Content[] => {
    const now = layer.epkBytes ?? layer.onnxBytes;
    return [
      layer.name,
      inlinePair(layer.originalBytes / largest, now / largest),
      formatBytes(layer.originalBytes),
      formatBytes(layer.onnxBytes),
      ...(layer.epkBytes === null ? [] : [formatBytes(layer.epkBytes)]),
      layer.originalBytes === 0 ? 'added' : now === 0 ? 'gone' : formatSizeChange(layer.originalBytes, now),
      ...(isPruned ? [layer.sparsityRatio === null ? '' : formatPercent(layer.sparsityRatio, 0)] : []),
    ];
  };
  const top = dataTable('The largest layers', columns, layers.slice(0, SHOWN_ROWS).map(row));
  const rest = layers.slice(SHOWN_ROWS, MAX_ROWS);
  const left = layers.length - SHOWN_ROWS - rest.length;
  if (rest.length === 0) return top;
  return html`${top}${fold(`${plural(rest.length, 'more part')} of the file`, [
    dataTable('The other layers', columns, rest.map(row)),
    left > 0 && html`<p class="note">${plural(left, 'more part')} in report.json.</p>`,
  ])}`;
}

import { formatDecibels, formatPercent } from '../number-format.ts';
import { plural } from '../report-findings.ts';
import type { Report } from '../report-schema.ts';
import { type Column, dataTable, fold } from './data-table.ts';
import { inlineBar } from './inline-bar.ts';
import { bytesByLayer } from './layer-bytes.ts';
import { layerSeriesChart } from './layer-series-chart.ts';
import { type Content, html, type Markup } from './markup.ts';

type Layer = Report['layers'][number];

const MAX_ROWS = 600;
/** From here on a chart says more than rows. */
const CHART_FROM = 10;
const SHOWN_ROWS = 8;
const MAX_NAMES = 60;

/** SQNR by layer: what int8 cost where. */
export function sqnrSection({ layers }: Report): Markup | false {
  const measured = layers.filter((layer) => layer.sqnrDb !== null);
  if (measured.length === 0) return false;
  const sorted = [...measured].sort((a, b) => a.sqnrDb! - b.sqnrDb!);
  const [lowest] = sorted;
  const top = Math.max(1, ...measured.map(({ sqnrDb }) => sqnrDb!));
  const columns: Column[] = [
    { title: 'Layer', kind: 'name' },
    { title: 'Operator', kind: 'text', optional: true },
    { title: 'Computes in', kind: 'text', optional: true },
    { title: '', kind: 'chart' },
    { title: 'SQNR', kind: 'number' },
  ];
  const row = ({ name, opType, precision, sqnrDb }: Layer): Content[] => [
    name,
    opType,
    precision,
    sqnrDb === null ? '' : inlineBar(precision === 'float' ? 'float' : 'after', sqnrDb / top),
    sqnrDb === null ? 'not measured' : formatDecibels(sqnrDb),
  ];
  const isMany = layers.length >= CHART_FROM;
  const all = layers.slice(0, MAX_ROWS);
  return html`<section id="sqnr"><h2>Signal to noise by layer</h2>
<p class="lead">How far each layer's output is from that of the same model before quantization; 6 dB are one bit. Lowest: <span class="name">${
    lowest!.name
  }</span> with ${formatDecibels(lowest!.sqnrDb!)}. Four evaluation samples at most.${
    isMany && layers.some(({ precision }) => precision === 'float') && ' Hollow diamonds compute in float.'
  }</p>
${
  isMany &&
  layerSeriesChart({
    label: `Signal to quantization noise of ${plural(layers.length, 'layer')}, from ${formatDecibels(lowest!.sqnrDb!)} to ${formatDecibels(top)}; the table below has the numbers.`,
    points: layers.map(({ name, sqnrDb, precision }) => ({ name, value: sqnrDb, isFloat: precision === 'float' })),
    format: (value) => formatDecibels(value).replace('.0 ', ' '),
    named: { end: 'lowest', count: 3 },
  })
}
${isMany ? dataTable('The layers with the lowest SQNR', columns, sorted.slice(0, SHOWN_ROWS).map(row)) : dataTable('SQNR by layer', columns, layers.map(row))}
${
  isMany &&
  fold(`All ${plural(layers.length, 'layer')}, in the order of the graph`, [
    dataTable('SQNR by layer', columns, all.map(row)),
    layers.length > all.length &&
      html`<p class="note">${plural(layers.length - all.length, 'more layer')} in report.json.</p>`,
  ])
}</section>`;
}

/** The share of zeros by layer, where the model was pruned. */
export function sparsitySection(report: Report): Markup | false {
  if (!report.steps.some((step) => step.pass === 'prune-magnitude' && step.modified)) return false;
  const order = new Map(report.layers.map(({ name }, i) => [name, i]));
  const layers = bytesByLayer(report)
    .filter(({ sparsityRatio }) => sparsityRatio !== null)
    .map((layer, i) => ({ ...layer, place: order.get(layer.name) ?? report.layers.length + i }))
    .sort((a, b) => a.place - b.place);
  if (layers.length === 0) return false;
  const weights = layers.reduce((sum, layer) => sum + layer.onnxBytes, 0);
  const zeros = layers.reduce((sum, layer) => sum + layer.sparsityRatio! * layer.onnxBytes, 0);
  const isMany = layers.length >= CHART_FROM;
  const table = dataTable(
    'Zeros by layer',
    [
      { title: 'Layer', kind: 'name' },
      { title: '', kind: 'chart' },
      { title: 'Zeros', kind: 'number' },
    ],
    layers
      .slice(0, MAX_ROWS)
      .map((layer) => [layer.name, inlineBar('after', layer.sparsityRatio!), formatPercent(layer.sparsityRatio!)]),
  );
  return html`<section id="zeros"><h2>Zeros by layer</h2>
<p class="lead">${formatPercent(zeros / weights, 0)} of the int8 weights are zero, those that rounding made included.</p>
${
  isMany &&
  layerSeriesChart({
    label: `Share of zeros of ${plural(layers.length, 'layer')}; the table below has the numbers.`,
    points: layers.map(({ name, sparsityRatio }) => ({ name, value: sparsityRatio })),
    format: (value) => formatPercent(value, 0),
    named: { end: 'highest', count: 3 },
    top: 1,
  })
}
${isMany ? fold(`The same as a table, ${plural(layers.length, 'layer')}`, table) : table}</section>`;
}

/** Layers kept in float, by the reason. */
export function floatSection({ layers, integerShare }: Report): Markup | false {
  const kept = layers.filter((layer) => layer.precision === 'float');
  const share = integerShare?.total;
  if (kept.length === 0 && (share === undefined || share === null)) return false;
  const byReason = new Map<string, Layer[]>();
  for (const layer of kept) {
    const reason = layer.reason ?? 'no reason was recorded';
    byReason.set(reason, [...(byReason.get(reason) ?? []), layer]);
  }
  const rows = Array.from(byReason, ([reason, own]): Content[] => {
    const names = own
      .slice(0, MAX_NAMES)
      .map(({ name, opType }) => html`<li>${name === '' ? opType : name} <span class="detail">${opType}</span></li>`);
    const more = own.length > MAX_NAMES && html`<li>and ${own.length - MAX_NAMES} more in report.json</li>`;
    return [reason, own.length, html`<ul class="names">${names}${more}</ul>`];
  });
  return html`<section id="float"><h2>Kept in float</h2>
<p class="lead">${
    kept.length === 0
      ? layers.length > 0 && 'No layer of this list was kept in float.'
      : `${plural(kept.length, 'layer')} of ${layers.length} still compute in float.`
  }${
    share !== undefined &&
    share !== null &&
    ` ${formatPercent(share)} of the multiply-accumulates run in integer kernels, by ${integerShare!.source}.`
  }</p>
${
  rows.length > 0 &&
  dataTable(
    'Layers kept in float, by reason',
    [
      { title: 'Why', kind: 'text' },
      { title: 'Layers', kind: 'number' },
      { title: 'Which', kind: 'name' },
    ],
    rows,
  )
}</section>`;
}

import { errorText, operatorOf } from '../diff-findings.ts';
import type { Diff } from '../diff-schema.ts';
import { formatDecibels } from '../number-format.ts';
import { plural } from '../report-findings.ts';
import { dataTable, fold } from './data-table.ts';
import { layerSeriesChart } from './layer-series-chart.ts';
import { html, type Markup } from './markup.ts';

type Values = NonNullable<Diff['values']>;
type ValueRecord = Values['all'][number];

const MAX_ROWS = 500;
const CHART_FROM = 6;
/** Equal values are drawn here. */
const TOP_DB = 120;

/** Values of both models on the same inputs, in execution order, and where they part. */
export function diffValuesSection({ values }: Diff): Markup | false {
  if (values === null) return false;
  const { all, firstDifference } = values;
  const comparable = all.filter(({ maxAbsoluteError }) => maxAbsoluteError !== null);
  const rows = all
    .slice(0, MAX_ROWS)
    .map((value, i) => [
      html`${value.node.name}${value.graphOutput && html` <span class="detail">output</span>`}${i === firstDifference && html` <span class="detail">parts here</span>`}`,
      operatorOf(value.node),
      sqnrOf(value),
      value.maxAbsoluteError === null ? '' : errorText(value.maxAbsoluteError),
    ]);
  const table = dataTable(
    'Values in execution order',
    [
      { title: 'Node', kind: 'name' },
      { title: 'Operator', kind: 'text' },
      { title: 'SQNR', kind: 'number' },
      { title: 'Largest error', kind: 'number' },
    ],
    rows,
  );
  const on =
    values.data === null
      ? `inputs made up by seed ${values.seed}, which say where models part but not how well they work`
      : `${plural(values.samples, 'sample')} of ${values.data}`;
  return html`<section id="values"><h2>Values, layer by layer</h2>
<p class="lead">What each pair of nodes computes on ${on}. Rounded values are compared in their rounded form; the models run as they are written, without the engine's optimisations.</p>
${parting(values)}
${
  comparable.length >= CHART_FROM &&
  comparable.some(({ maxAbsoluteError }) => maxAbsoluteError !== 0) &&
  layerSeriesChart({
    label: `Signal to noise of ${plural(comparable.length, 'value')}, the first model against the second; the table below has the numbers.`,
    points: comparable.map((value) => ({ name: value.node.name, value: heightOf(value) })),
    format: (value) => (value >= TOP_DB ? 'equal' : formatDecibels(value).replace('.0 ', ' ')),
    named: { end: 'lowest', count: 3 },
    top: TOP_DB,
  })
}
${all.length > CHART_FROM ? fold(`All ${plural(all.length, 'value')}, in execution order`, table) : table}</section>`;
}

function parting({ all, firstDifference }: Values): Markup {
  if (firstDifference === null) {
    return html`<p class="part same">No value differs by more than the rounding of floats.</p>`;
  }
  const first = all[firstDifference]!;
  return html`<p class="part">The models part at <span class="name">${first.node.name}</span> (${operatorOf(first.node)}), value ${firstDifference + 1} of ${all.length}: ${sqnrOf(first)}, largest error ${errorText(first.maxAbsoluteError)}.</p>`;
}

function sqnrOf({ sqnrDb, maxAbsoluteError }: ValueRecord): string {
  if (maxAbsoluteError === null) return 'other shape';
  if (maxAbsoluteError === 0) return 'equal';
  return sqnrDb === null ? 'no signal' : formatDecibels(sqnrDb);
}

function heightOf({ sqnrDb, maxAbsoluteError }: ValueRecord): number {
  if (maxAbsoluteError === 0) return TOP_DB;
  return Math.max(0, Math.min(TOP_DB, sqnrDb ?? 0));
}

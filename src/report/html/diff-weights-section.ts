import { errorText, shareText, sqnrText, storageOf, weightsByError } from '../diff-findings.ts';
import type { Diff, WeightChangeRecord } from '../diff-schema.ts';
import { formatBytes, formatSizeChange } from '../number-format.ts';
import { plural } from '../report-findings.ts';
import { dataTable, fold } from './data-table.ts';
import { inlineBar, inlinePair } from './inline-bar.ts';
import { html, type Markup } from './markup.ts';

const MAX_ROWS = 500;
const SHOWN_ROWS = 12;
/** Bars are full from here: float32 itself has about 24 bits. */
const FULL_DB = 60;

/** Constants that differ, the least alike first. */
export function diffWeightsSection(diff: Diff): Markup | false {
  const { changes, identical } = diff.weights;
  if (changes.length === 0) return false;
  const changed = weightsByError(diff);
  const count = (kind: WeightChangeRecord['kind'], parameters: boolean) =>
    changes.filter((change) => change.kind === kind && change.quantizationParameter === parameters).length;
  const facts = [
    `${identical} the same`,
    `${changed.length} changed`,
    `${count('renamed', false)} only renamed`,
    `${count('removed', false)} removed`,
    `${count('added', false)} added`,
    `${count('added', true) + count('removed', true)} scales and zero points of one of them only`,
  ].filter((text) => !text.startsWith('0 '));
  const table = (rows: readonly WeightChangeRecord[]) =>
    dataTable(
      'Constants that differ',
      [
        { title: 'Constant', kind: 'name' },
        { title: 'Stored as', kind: 'text', optional: true },
        { title: '', kind: 'chart', optional: true },
        { title: 'SQNR', kind: 'number' },
        { title: 'Largest error', kind: 'number' },
        { title: 'Changed', kind: 'number', optional: true },
        { title: 'Zeros', kind: 'number', optional: true },
      ],
      rows.map(weightRow),
    );
  return html`<section id="weights"><h2>Weights</h2>
<p class="lead">${facts.join(', ')}. Compared as the layers get them: quantized constants through their DequantizeLinear. 6 dB are one bit.</p>
${changed.length > 0 && table(changed.slice(0, SHOWN_ROWS))}
${changed.length > SHOWN_ROWS && fold(`All ${plural(changed.length, 'constant')} that differ`, table(changed.slice(0, MAX_ROWS)))}
${others(diff)}</section>`;
}

function weightRow({ a, b, distance, folded }: WeightChangeRecord) {
  const sameShape = a!.shape.join() === b!.shape.join();
  return [
    [
      a!.name === b!.name ? a!.name : html`${b!.name}<br><span class="was">was ${a!.name}</span>`,
      folded && html`<br><span class="detail">with BatchNormalization folded in</span>`,
    ],
    storageOf(a) === storageOf(b) ? storageOf(a) : `${storageOf(a)} → ${sameShape ? b!.dataType : storageOf(b)}`,
    distance === null || distance.sqnrDb === null ? '' : inlineBar('after', distance.sqnrDb / FULL_DB),
    sqnrText(distance),
    distance === null ? '' : errorText(distance.maxAbsoluteError),
    distance === null ? '' : shareText(distance.changedRatio),
    distance === null
      ? ''
      : distance.sparsityRatioA === distance.sparsityRatioB
        ? shareText(distance.sparsityRatioB)
        : `${shareText(distance.sparsityRatioA)} → ${shareText(distance.sparsityRatioB)}`,
  ];
}

function others({ weights }: Diff): Markup | false {
  const rows = weights.changes.filter(({ kind }) => kind !== 'changed');
  if (rows.length === 0) return false;
  const table = dataTable(
    'Constants of one model only, and renamed ones',
    [
      { title: 'Constant', kind: 'name' },
      { title: 'What', kind: 'text' },
      { title: 'Stored as', kind: 'text' },
      { title: 'Layer', kind: 'name', optional: true },
    ],
    rows
      .slice(0, MAX_ROWS)
      .map(({ kind, a, b, layer }) => [
        kind === 'renamed' ? html`${b!.name}<br><span class="was">was ${a!.name}</span>` : (b ?? a)!.name,
        kind,
        storageOf(b ?? a),
        layer?.name ?? '',
      ]),
  );
  const rest = rows.length - MAX_ROWS;
  return fold(`${plural(rows.length, 'constant')} renamed, added or removed`, [
    table,
    rest > 0 && html`<p class="note">${plural(rest, 'more constant')} with --json.</p>`,
  ]);
}

/** The bytes of layers with weights, where they differ. */
export function diffLayersSection({ layers }: Diff): Markup | false {
  if (layers.length === 0) return false;
  const largest = Math.max(1, ...layers.flatMap(({ bytesA, bytesB }) => [bytesA, bytesB]));
  const sorted = [...layers].sort((x, y) => Math.abs(y.bytesA - y.bytesB) - Math.abs(x.bytesA - x.bytesB));
  const table = (rows: Diff['layers']) =>
    dataTable(
      'Bytes of constants by layer, before and after',
      [
        { title: 'Layer', kind: 'name' },
        { title: 'Operator', kind: 'text', optional: true },
        { title: '', kind: 'chart' },
        { title: 'a', kind: 'number' },
        { title: 'b', kind: 'number' },
        { title: 'Change', kind: 'number', optional: true },
      ],
      rows.map(({ a, b, bytesA, bytesB }) => [
        (b ?? a)!.name,
        (b ?? a)!.opType,
        inlinePair(bytesA / largest, bytesB / largest),
        a === null ? 'none' : formatBytes(bytesA),
        b === null ? 'none' : formatBytes(bytesB),
        a === null ? 'added' : b === null ? 'removed' : formatSizeChange(bytesA, bytesB),
      ]),
    );
  return html`<section id="layers"><h2>Bytes by layer</h2>
<p class="lead">Layers whose constants take another number of bytes, the largest change first.</p>
${table(sorted.slice(0, SHOWN_ROWS))}
${sorted.length > SHOWN_ROWS && fold(`All ${plural(sorted.length, 'layer')}`, table(sorted.slice(0, MAX_ROWS)))}</section>`;
}

import { printable } from '../diagnostics/printable.ts';
import {
  changePhrases,
  changesByKind,
  changeTitles,
  errorText,
  operatorOf,
  shareText,
  sideBySide,
  sqnrText,
  storageOf,
  verdict,
  weightsByError,
} from '../report/diff-findings.ts';
import type { Diff, DiffNode } from '../report/diff-schema.ts';
import { formatBytes, formatDecibels, formatSizeChange } from '../report/number-format.ts';
import { plural } from '../report/report-findings.ts';
import type { Style } from './paint.ts';
import { renderTable, shorten } from './render-table.ts';

interface DiffStyle extends Style {
  /** Lists everything. */
  readonly all: boolean;
}

const shownRows = 12;

/** What changed between two models, for a person: both side by side, then nodes, weights, layers and values. */
export function renderDiff(diff: Diff, style: DiffStyle): string {
  const title = (text: string) => style.paint(text, 'title');
  const sections = [
    overview(diff, style),
    ...changesByKind(diff).map(([kind, changes]) =>
      section(
        title(`${changeTitles[kind]}: ${changes.length}`),
        rows(
          changes.map((change) => [
            nodeName((change.b ?? change.a)!, style),
            operatorOf((change.b ?? change.a)!),
            printable(
              changePhrases(change).join('; '),
              Math.max(40, style.columns - Math.floor(style.columns / 3) - 16),
            ),
          ]),
          style,
        ),
      ),
    ),
    section(title('Weights that differ'), weights(diff, style)),
    section(title('Bytes by layer'), layers(diff, style)),
    section(title('Values, layer by layer'), values(diff, style)),
    ...diff.warnings.map(({ message }) => `${style.paint('warning:', 'bad')} ${printable(message, 300)}`),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function overview(diff: Diff, style: DiffStyle): string {
  const { a, b } = diff;
  const room = Math.max(16, Math.floor((style.columns - 30) / 2));
  const interfaces = (['inputs', 'outputs'] as const).flatMap((side) =>
    diff[side].map(({ kind, a: first, b: second }) => [
      `${side.slice(0, -1)} ${kind}`,
      valueText(first, room),
      valueText(second, room),
    ]),
  );
  const table = [
    ['', shorten(printable(a.path, 300), room), shorten(printable(b.path, 300), room)],
    ['size', formatBytes(a.fileBytes), `${formatBytes(b.fileBytes)}  ${formatSizeChange(a.fileBytes, b.fileBytes)}`],
    ...sideBySide(diff).map((row) => row.map((cell) => shorten(printable(cell), room))),
    ...interfaces,
    ...diff.properties
      .filter(({ name }) => !name.startsWith('opset '))
      .map(({ name, a: first, b: second }) => [
        shorten(printable(name), 28),
        shorten(printable(first ?? '(none)'), room),
        shorten(printable(second ?? '(none)'), room),
      ]),
  ];
  return `${renderTable(table)}\n\n${style.paint(verdict(diff), diff.identical ? 'good' : 'title')}`;
}

function valueText(value: Diff['inputs'][number]['a'], room: number): string {
  if (value === null) return '(none)';
  const shape = value.shape === null ? '' : ` [${value.shape.map((dim) => dim ?? '?').join(', ')}]`;
  return shorten(printable(`${value.name} ${value.dataType}${shape}`), room);
}

function nodeName({ name }: DiffNode, { columns }: DiffStyle): string {
  return shorten(printable(name), Math.max(20, Math.floor(columns / 3)));
}

function rows(table: readonly (readonly string[])[], { all }: DiffStyle, right: readonly number[] = []): string {
  const shown = all ? table : table.slice(0, shownRows);
  const rest = table.length - shown.length;
  return `${renderTable(shown, right)}${rest > 0 ? `\n  and ${rest} more (--all lists all)` : ''}`;
}

function weights(diff: Diff, style: DiffStyle): string {
  const changed = weightsByError(diff);
  const count = (kind: 'renamed' | 'removed' | 'added', parameters: boolean) =>
    diff.weights.changes.filter((change) => change.kind === kind && change.quantizationParameter === parameters).length;
  const others = [
    [count('renamed', false), 'renamed, otherwise the same'],
    [count('removed', false), 'only in the first'],
    [count('added', false), 'only in the second'],
    [count('added', true) + count('removed', true), 'scales and zero points in one of them only'],
  ] as const;
  const lines = others.filter(([many]) => many > 0).map(([many, what]) => `  ${plural(many, 'constant')} ${what}`);
  if (changed.length === 0) return lines.join('\n');
  const table = changed.map(({ a, b, distance, folded }) => [
    shorten(printable(a!.name), Math.max(20, Math.floor(style.columns / 3))),
    `${storageOf(a)} → ${a!.shape.join() === b!.shape.join() ? b!.dataType : storageOf(b)}`,
    sqnrText(distance),
    distance === null ? '' : `±${errorText(distance.maxAbsoluteError)}`,
    distance === null ? '' : `${shareText(distance.changedRatio)} changed`,
    distance === null || distance.sparsityRatioA === distance.sparsityRatioB
      ? ''
      : `zeros ${shareText(distance.sparsityRatioA)} → ${shareText(distance.sparsityRatioB)}`,
    folded ? 'with BatchNormalization folded in' : '',
  ]);
  return [rows(table, style, [2, 3, 4]), ...lines].join('\n');
}

function layers(diff: Diff, style: DiffStyle): string {
  if (diff.layers.length === 0) return '';
  const sorted = [...diff.layers].sort((x, y) => Math.abs(y.bytesA - y.bytesB) - Math.abs(x.bytesA - x.bytesB));
  return rows(
    sorted.map(({ a, b, bytesA, bytesB }) => [
      nodeName((b ?? a)!, style),
      operatorOf((b ?? a)!),
      a === null ? 'none' : formatBytes(bytesA),
      '→',
      b === null ? 'none' : formatBytes(bytesB),
      formatSizeChange(bytesA, bytesB),
    ]),
    style,
    [2, 4],
  );
}

function values({ values: found }: Diff, style: DiffStyle): string {
  if (found === null) return '';
  const on = found.data === null ? `made-up inputs (seed ${found.seed})` : plural(found.samples, 'sample');
  const first = found.firstDifference === null ? undefined : found.all[found.firstDifference];
  const head =
    first === undefined
      ? `  On ${on}: no value differs by more than the rounding of floats.`
      : `  On ${on}: the models part at ${style.paint(printable(first.node.name), 'alarm')} (${operatorOf(first.node)}), value ${found.firstDifference! + 1} of ${found.all.length}.`;
  if (first === undefined && !style.all) return head;
  const table = found.all.map((value, i) => [
    i === found.firstDifference ? '▸' : '',
    nodeName(value.node, style),
    operatorOf(value.node),
    value.maxAbsoluteError === null
      ? 'other shape'
      : value.sqnrDb === null
        ? value.maxAbsoluteError === 0
          ? 'equal'
          : 'no signal'
        : formatDecibels(value.sqnrDb),
    value.maxAbsoluteError === null ? '' : `±${errorText(value.maxAbsoluteError)}`,
    value.graphOutput ? 'output' : '',
  ]);
  const at = Math.max(0, (found.firstDifference ?? 0) - 1);
  const shown = style.all
    ? table
    : [
        ...table.slice(at, at + shownRows - 1),
        ...table.slice(at + shownRows - 1).filter((_, i, rest) => i === rest.length - 1),
      ];
  const rest = table.length - shown.length;
  return `${head}\n${renderTable(shown, [3, 4])}${rest > 0 ? `\n  and ${rest} more (--all lists all)` : ''}`;
}

function section(title: string, body: string): string {
  return body === '' ? '' : `${title}\n${body}`;
}

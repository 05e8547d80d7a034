import { hierarchy, treemap, treemapSquarify } from 'd3-hierarchy';
import { formatBytes, formatPercent } from '../number-format.ts';
import { html, type Markup } from './markup.ts';
import { fitText } from './responsive-chart.ts';

export interface TreemapCell {
  readonly name: string;
  readonly kind: 'before' | 'int8' | 'float' | 'other';
  readonly sizeBytes: number;
  /** The same in all treemaps of a page. */
  readonly index: number;
}

export interface TreemapPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Branch {
  readonly cell?: TreemapCell;
  readonly children?: readonly Branch[];
}

/** Cells of a treemap as SVG, within `place`; areas are proportional to bytes. Hatched: float. */
export function treemapCells(cells: readonly TreemapCell[], place: TreemapPlace, patternId: string): Markup[] {
  const root: Branch = { children: cells.filter(({ sizeBytes }) => sizeBytes > 0).map((cell) => ({ cell })) };
  const total = cells.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const laidOut = treemap<Branch>().tile(treemapSquarify.ratio(1.4)).size([place.width, place.height])(
    hierarchy(root)
      .sum(({ cell }) => cell?.sizeBytes ?? 0)
      .sort((a, b) => b.value! - a.value!),
  );
  return laidOut
    .leaves()
    .flatMap(({ data: { cell }, x0, y0, x1, y1 }) =>
      cell === undefined ? [] : [renderCell(cell, place.x + x0, place.y + y0, x1 - x0, y1 - y0, total, patternId)],
    );
}

function renderCell(
  { name, kind, sizeBytes, index }: TreemapCell,
  x: number,
  y: number,
  width: number,
  height: number,
  total: number,
  patternId: string,
): Markup {
  const lines = width >= 40 && height >= 18 ? labelLines(shortName(name), width - 10, height >= 50) : [];
  const size = formatBytes(sizeBytes);
  const hasSize = lines.length > 0 && height >= 20 + 14 * lines.length && width >= 7.6 * size.length + 10;
  const rect = (className: string, fill = '') =>
    html`<rect class="${className}"${fill !== '' && html` fill="url(#${fill})"`} x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}"/>`;
  const texts = lines.map((line, i) => html`<text x="${px(x + 6)}" y="${px(y + 15 + 14 * i)}">${line}</text>`);
  return html`<g data-cell="${index}"><title>${name}: ${size}, ${formatPercent(sizeBytes / total)}</title>${rect(`cell-${kind}`)}${
    kind === 'float' && rect('hatch', patternId)
  }${texts}${
    hasSize && html`<text class="cell-size" x="${px(x + 6)}" y="${px(y + 15 + 14 * lines.length)}">${size}</text>`
  }</g>`;
}

/** The name on one line, or on two where it has parts and the height allows it; cut where it does not fit. */
function labelLines(name: string, widthPx: number, hasTwo: boolean): string[] {
  const end = name.lastIndexOf('/');
  const whole = fitText(name, widthPx);
  const lines =
    whole !== name && hasTwo && end > 0
      ? [fitText(name.slice(0, end + 1), widthPx), fitText(name.slice(end + 1), widthPx)]
      : [whole];
  return lines.every((line) => line !== '') ? lines : [];
}

/** "/layer.3/query/MatMul" as "layer.3/query": what tells it from the others. */
function shortName(name: string): string {
  return name
    .slice(-200)
    .replace(/(?<=[^/])\/[A-Z][A-Za-z]+(_\d+)?$/, '')
    .replace(/^\//, '');
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

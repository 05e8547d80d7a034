import { ticks } from 'd3-array';
import { html, Markup } from './markup.ts';
import { fitText, responsiveChart } from './responsive-chart.ts';

export interface LayerPoint {
  readonly name: string;
  /** null where there is none: a mark on the axis. */
  readonly value: number | null;
  /** Drawn as a hollow diamond. */
  readonly isFloat?: boolean;
}

export interface LayerSeries {
  readonly label: string;
  readonly points: readonly LayerPoint[];
  readonly format: (value: number) => string;
  /** How many points are named in the chart, from this end. */
  readonly named: { readonly end: 'lowest' | 'highest'; readonly count: number };
  readonly top?: number;
}

const MAX_POINTS = 700;
const HEIGHT = 220;
const MARGIN = { left: 52, right: 12, top: 18, bottom: 26 };

/** One value per layer, in the order of the graph; of more than 700 layers, the one that matters of each few. */
export function layerSeriesChart({ label, points: all, format, named, top }: LayerSeries): Markup {
  const points = thinned(all, named.end);
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const low = Math.min(0, ...values);
  const high = top ?? Math.max(1e-9, ...values) * 1.08;
  const sign = named.end === 'lowest' ? 1 : -1;
  const labelled = new Set(
    points
      .map(({ value }, index) => ({ value, index }))
      .filter((entry): entry is { value: number; index: number } => entry.value !== null)
      .sort((a, b) => sign * (a.value - b.value) || a.index - b.index)
      .slice(0, named.count)
      .map(({ index }) => index),
  );
  return responsiveChart((width, size) => {
    const bottom = HEIGHT - MARGIN.bottom;
    const x = (i: number) => MARGIN.left + ((i + 0.5) / points.length) * (width - MARGIN.left - MARGIN.right);
    const y = (value: number) => bottom - ((value - low) / (high - low)) * (bottom - MARGIN.top);
    const grid = ticks(low, high, 4).map(
      (tick) =>
        html`<line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${px(y(tick))}" y2="${px(y(tick))}"/><text class="tick" x="${MARGIN.left - 8}" y="${px(y(tick) + 4)}" text-anchor="end">${format(tick)}</text>`,
    );
    const radius = points.length > 150 ? 2.2 : points.length > 60 ? 3 : 4;
    const stems = points.map(({ value }, i) => `M${px(x(i))} ${px(y(0))}V${px(y(value ?? 0))}`).join('');
    const marks = points.map(({ name, value, isFloat }, i) => {
      const at = y(value ?? 0);
      const title =
        size !== 'narrow' &&
        html`<title>${name}: ${value === null ? 'not measured' : format(value)}${isFloat === true && ', float'}</title>`;
      return isFloat === true || value === null
        ? html`<path class="hollow" d="M${px(x(i))} ${px(at - 5)}l5 5l-5 5l-5 -5z">${title}</path>`
        : html`<circle cx="${px(x(i))}" cy="${px(at)}" r="${radius}">${title}</circle>`;
    });
    return html`<svg class="series" viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${label}">${grid}<path class="stem" d="${new Markup(stems)}"/><g class="fill-after">${marks}</g>${labels(points, labelled, x, y, width)}<text class="tick" x="${MARGIN.left}" y="${HEIGHT - 6}">first layer</text><text class="tick" x="${width - MARGIN.right}" y="${HEIGHT - 6}" text-anchor="end">last layer</text></svg>`;
  });
}

/** Of more layers than can be told apart, the lowest or the highest of each few neighbours. */
function thinned(points: readonly LayerPoint[], end: 'lowest' | 'highest'): readonly LayerPoint[] {
  const few = Math.ceil(points.length / MAX_POINTS);
  if (few === 1) return points;
  const sign = end === 'lowest' ? 1 : -1;
  const rank = ({ value }: LayerPoint) => (value === null ? Number.POSITIVE_INFINITY : sign * value);
  return Array.from({ length: Math.ceil(points.length / few) }, (_, i) =>
    points.slice(i * few, (i + 1) * few).reduce((a, b) => (rank(b) < rank(a) ? b : a)),
  );
}

/** Names beside their points, left out where one would cover another. */
function labels(
  points: readonly LayerPoint[],
  labelled: ReadonlySet<number>,
  x: (i: number) => number,
  y: (value: number) => number,
  width: number,
): Markup[] {
  const placed: { left: number; right: number; y: number }[] = [];
  return [...labelled].flatMap((i) => {
    const text = fitText(points[i]!.name, 190);
    const isLeft = x(i) > width / 2;
    const at = x(i) + (isLeft ? -8 : 8);
    const box = {
      left: isLeft ? at - text.length * 6.4 : at,
      right: isLeft ? at : at + text.length * 6.4,
      y: y(points[i]!.value!),
    };
    if (placed.some((other) => box.left < other.right && other.left < box.right && Math.abs(box.y - other.y) < 15))
      return [];
    placed.push(box);
    return [
      html`<text class="point-name" x="${px(at)}" y="${px(box.y + 4)}" text-anchor="${isLeft ? 'end' : 'start'}">${text}</text>`,
    ];
  });
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

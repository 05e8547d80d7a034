import { html, type Markup } from './markup.ts';

/** What a mark stands for; never by colour alone: every chart names its marks. */
export type Mark = 'before' | 'after' | 'float';

/** A share of [0, 1] as a coordinate of an SVG that is as wide as its cell. */
function percent(share: number): string {
  return `${Number((100 * Math.max(0, Math.min(1, share))).toFixed(1))}%`;
}

/** A horizontal bar in a table cell, whose number is in the cell beside it. `start` and `end` are shares of the width. */
export function inlineBar(mark: Mark, end: number, start = 0): Markup {
  const rect = (className: string, from: number, to: number) =>
    html`<rect class="${className}"${from > 0 && html` x="${percent(from)}"`} width="${percent(to - from)}" height="12"/>`;
  // Something is never drawn as nothing.
  return html`<svg class="bar track" aria-hidden="true">${start > 0 && rect('fill-faint', 0, start)}${
    end > start && rect(`fill-${mark}`, start, Math.max(end, start + 0.003))
  }</svg>`;
}

/** Before over after, both as shares of the width. */
export function inlinePair(before: number, after: number): Markup {
  const bar = (mark: Mark, share: number, y: number, height: number) =>
    share > 0 &&
    html`<rect class="fill-${mark}" y="${y}" width="${percent(Math.max(share, 0.003))}" height="${height}"/>`;
  return html`<svg class="bar" aria-hidden="true">${bar('before', before, 0, 5)}${bar('after', after, 6, 6)}</svg>`;
}

export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A value with its interval on a common axis, in a table cell. */
export function inlineInterval(mark: Mark, { value, low, high }: Interval, domain: readonly [number, number]): Markup {
  const at = (x: number) => percent(0.02 + (0.96 * (x - domain[0])) / (domain[1] - domain[0]));
  return html`<svg class="bar" aria-hidden="true"><line class="axis" x1="0" x2="100%" y1="6" y2="6"/><line class="stroke-${mark}" x1="${at(low)}" x2="${at(high)}" y1="6" y2="6"/><line class="stroke-${mark}" x1="${at(low)}" x2="${at(low)}" y1="2" y2="10"/><line class="stroke-${mark}" x1="${at(high)}" x2="${at(high)}" y1="2" y2="10"/><circle class="fill-${mark}" cx="${at(value)}" cy="6" r="4.5"/></svg>`;
}

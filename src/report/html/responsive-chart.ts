import { html, type Markup } from './markup.ts';

/** Widths a chart is drawn for, in CSS pixels: text in an SVG must not shrink with the page. */
const WIDTHS = { wide: 1056, medium: 700, narrow: 340 } as const;

export type ChartSize = keyof typeof WIDTHS;

/** The same chart for wide, medium and narrow pages; the style sheet shows one of them. */
export function responsiveChart(draw: (width: number, size: ChartSize) => Markup): Markup {
  const drawn = (Object.keys(WIDTHS) as ChartSize[]).map(
    (size) => html`<div class="for-${size}">${draw(WIDTHS[size], size)}</div>`,
  );
  return html`<div class="plot">${drawn}</div>`;
}

/** Cuts a name to what fits, from its start: the end of a path tells more. */
export function fitText(text: string, widthPx: number, pixelsPerCharacter = 7): string {
  const room = Math.floor(widthPx / pixelsPerCharacter);
  if (text.length <= room) return text;
  return room < 4 ? '' : `…${text.slice(text.length - room + 1)}`;
}

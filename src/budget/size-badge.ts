import { formatBytes } from '../report/number-format.ts';
import { escapeXml } from './escape-xml.ts';

export interface BadgeOptions {
  /** The text on the left. */
  readonly label: string;
  readonly sizeBytes: number;
  /** Colours the right side. */
  readonly status: 'passed' | 'failed' | 'refused';
}

/** Dark enough for white text: contrast of at least 4.5. */
const colors = { passed: '#1a7f4b', failed: '#c0392b', refused: '#8a5a00' } as const;
const HEIGHT = 22;
const PADDING = 8;

/** A flat badge with the size of a model, as SVG; a reader that does not see it gets the same text. */
export function sizeBadge({ label, sizeBytes, status }: BadgeOptions): string {
  const value = formatBytes(sizeBytes);
  const left = textWidth(label) + 2 * PADDING;
  const right = textWidth(value) + 2 * PADDING;
  const name = escapeXml(
    `${label}: ${value}${status === 'passed' ? '' : status === 'failed' ? ', over budget' : ', not judged'}`,
  );
  const text = (content: string, x: number, width: number) =>
    `<text x="${x}" y="15" textLength="${width}" lengthAdjust="spacingAndGlyphs" text-anchor="middle">${escapeXml(content)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="${HEIGHT}" role="img" aria-label="${name}">`,
    `<title>${name}</title>`,
    `<rect width="${left}" height="${HEIGHT}" fill="#3b4450"/>`,
    `<rect x="${left}" width="${right}" height="${HEIGHT}" fill="${colors[status]}"/>`,
    `<g fill="#fff" font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif" font-size="11.5">`,
    text(label, left / 2, left - 2 * PADDING),
    text(value, left + right / 2, right - 2 * PADDING),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** About the width of a text at 11.5 px in a sans-serif face; textLength makes it exact in any face. */
function textWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    width += /[ijl.,:;|'!()[\] ]/.test(character)
      ? 3.6
      : /[mwMW@%]/.test(character)
        ? 10
        : /[A-Z]/.test(character)
          ? 7.8
          : 6.6;
  }
  return Math.ceil(width);
}

import { printable } from '../../diagnostics/printable.ts';

/** Text that is HTML already; everything else is escaped where {@link html} puts it in. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export type Content = string | number | Markup | readonly Content[] | null | undefined | false;

/** Names may be megabytes long; what a reader can use is not. */
const MAX_TEXT = 400;

/**
 * A piece of HTML or SVG. Strings that are put in are escaped for elements and quoted attributes, with control and
 * bidirectional characters made visible, and cut; arrays are joined; null and false leave nothing.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let text = parts[0]!;
  for (let i = 0; i < values.length; i++) text += render(values[i]) + parts[i + 1]!;
  return new Markup(text);
}

/** As text in {@link html}, but cut only after `maxLength` characters. */
export function longText(text: string, maxLength: number): Markup {
  return new Markup(escapeHtml(printable(text, maxLength)));
}

function render(value: Content): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escapeHtml(printable(value, MAX_TEXT));
  return value.map(render).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

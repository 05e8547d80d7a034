import { type Content, html, type Markup } from './markup.ts';

export interface Column {
  readonly title: Content;
  /** `number`: right-aligned figures; `chart`: a bar that takes the room there is; `text` wraps; `name` is in monospace. */
  readonly kind: 'text' | 'name' | 'number' | 'chart';
  /** Not shown on narrow screens. */
  readonly optional?: boolean;
}

/** A table whose first column names the row. Scrolls inside itself where it is wider than the page. */
export function dataTable(caption: Content, columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const classOf = ({ kind, optional }: Column) => `${kind}${optional === true ? ' optional' : ''}`;
  const classes = columns.map(classOf);
  const body = rows.map((row) => {
    const cells = row.map((cell, i) =>
      i === 0 ? html`<th scope="row" class="${classes[i]}">${cell}</th>` : html`<td class="${classes[i]}">${cell}</td>`,
    );
    return html`<tr>${cells}</tr>\n`;
  });
  const head = columns.map(
    (column, i) =>
      html`<th scope="col" class="${classes[i]}">${
        column.kind === 'chart' && column.title === '' ? html`<span class="hidden">Bar</span>` : column.title
      }</th>`,
  );
  return html`<div class="table" role="group" aria-label="${caption}" tabindex="0"><table><caption class="hidden">${caption}</caption><thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table></div>`;
}

/** Details behind a summary line; on paper only where they are open. */
export function fold(summary: Content, body: Content): Markup {
  return html`<details><summary>${summary}</summary>${body}</details>`;
}

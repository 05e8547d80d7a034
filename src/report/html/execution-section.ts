import { executionHeader, executionRows, executionSource } from '../execution-rows.ts';
import type { Report } from '../report-schema.ts';
import { dataTable } from './data-table.ts';
import { html, type Markup } from './markup.ts';

/** Which variant is shipped, and what the others would take. */
export function executionSection({ execution }: Report): Markup | false {
  if (execution === undefined) return false;
  const [variant, time, interval, verdict] = executionHeader;
  return html`<section id="execution"><h2>What is shipped</h2>
<p class="lead">${execution.because.charAt(0).toUpperCase()}${execution.because.slice(1)}.</p>
${dataTable(
  'Variants beside the original',
  [
    { title: variant, kind: 'text' },
    { title: time, kind: 'number' },
    { title: interval, kind: 'number' },
    { title: verdict, kind: 'text' },
    { title: 'Shipped', kind: 'text' },
  ],
  executionRows(execution),
)}
<p class="note">${executionSource(execution)}.</p></section>`;
}

import { changePhrases, changesByKind, changeTitles, operatorOf } from '../diff-findings.ts';
import type { Diff, NodeChangeRecord } from '../diff-schema.ts';
import { plural } from '../report-findings.ts';
import { dataTable, fold } from './data-table.ts';
import { html, longText, type Markup } from './markup.ts';

const MAX_ROWS = 500;
const OPEN_ROWS = 20;

/** What happened to the nodes: a bar of all, then every kind of change. */
export function diffNodesSection(diff: Diff): Markup {
  const kinds = changesByKind(diff);
  const counts = [
    ['unchanged', diff.nodes.unchanged] as const,
    ...kinds.map(([kind, { length }]) => [kind, length] as const),
  ];
  return html`<section id="nodes"><h2>Nodes</h2>
<p class="lead">Nodes are matched by what they compute, by what surrounds them and by their names. A node that belongs to another one (folded into it, or its quantization) is counted there.</p>
${spectrum(counts.filter(([, count]) => count > 0))}
${kinds.map(([kind, changes], i) => kindDetails(kind, changes, i < 3 && changes.length <= OPEN_ROWS))}</section>`;
}

function spectrum(counts: readonly (readonly [kind: string, count: number])[]): Markup {
  const total = Math.max(
    1,
    counts.reduce((sum, [, count]) => sum + count, 0),
  );
  let at = 0;
  const bars = counts.map(([kind, count]) => {
    const x = (100 * at) / total;
    at += count;
    return html`<rect class="kind-${kind}" x="${x.toFixed(2)}%" width="${((100 * count) / total).toFixed(2)}%" height="22"/>`;
  });
  const legend = counts.map(
    ([kind, count]) =>
      html`<li><svg class="swatch" viewBox="0 0 12 12" aria-hidden="true"><rect class="kind-${kind}" width="12" height="12"/></svg>${kind.replace('-', ' ')} <strong>${count}</strong></li>`,
  );
  return html`<svg class="spectrum" aria-hidden="true">${bars}</svg><ul class="legend">${legend}</ul>`;
}

function kindDetails(kind: NodeChangeRecord['kind'], changes: readonly NodeChangeRecord[], isOpen: boolean): Markup {
  const shown = changes.slice(0, MAX_ROWS);
  const table = dataTable(
    changeTitles[kind],
    [
      { title: 'Node', kind: 'name' },
      { title: 'Operator', kind: 'text' },
      { title: 'What', kind: 'text' },
    ],
    shown.map((change) => [nameOf(change), operators(change), longText(phrasesOf(change), 600)]),
  );
  const rest = changes.length - shown.length;
  const body = [table, rest > 0 && html`<p class="note">${plural(rest, 'more node')} with --json.</p>`];
  const summary = html`${changeTitles[kind]} <span class="detail">${plural(changes.length, 'node')}</span>`;
  return isOpen ? html`<details open><summary>${summary}</summary>${body}</details>` : fold(summary, body);
}

/** Without what the other columns say. */
function phrasesOf(change: NodeChangeRecord): string {
  const details = change.details.filter(({ what }) => what !== 'name' && what !== 'operator');
  return changePhrases({ ...change, details }).join('; ');
}

function nameOf({ a, b }: NodeChangeRecord): Markup {
  const name = (b ?? a)!.name;
  return a !== null && b !== null && a.name !== name
    ? html`${name}<br><span class="was">was ${a.name}</span>`
    : html`${name}`;
}

function operators({ a, b }: NodeChangeRecord): string {
  if (a === null || b === null) return operatorOf((b ?? a)!);
  return operatorOf(a) === operatorOf(b) ? operatorOf(b) : `${operatorOf(a)} → ${operatorOf(b)}`;
}

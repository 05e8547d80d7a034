import { sideBySide, verdict } from '../diff-findings.ts';
import type { Diff } from '../diff-schema.ts';
import { formatBytes, formatDecibels, formatSizeChange } from '../number-format.ts';
import { dataTable } from './data-table.ts';
import { diffNodesSection } from './diff-nodes-section.ts';
import { diffStyle } from './diff-style.ts';
import { diffValuesSection } from './diff-values-section.ts';
import { diffLayersSection, diffWeightsSection } from './diff-weights-section.ts';
import { inlineBar } from './inline-bar.ts';
import { type Content, html, longText, type Markup } from './markup.ts';
import { pageDocument } from './page-document.ts';
import { pageScript } from './page-script.ts';
import { pageStyle } from './page-style.ts';

/** The whole page of a comparison. The same comparison gives the same bytes. */
export function renderDiffPage(diff: Diff): string {
  const sections: readonly (readonly [id: string, label: string, content: Markup | false])[] = [
    ['sides', 'Side by side', sidesSection(diff)],
    ['nodes', 'Nodes', diffNodesSection(diff)],
    ['weights', 'Weights', diffWeightsSection(diff)],
    ['layers', 'Bytes by layer', diffLayersSection(diff)],
    ['values', 'Values', diffValuesSection(diff)],
    ['warnings', 'Warnings', warningsSection(diff)],
  ];
  const shown = sections.filter(([, , content]) => content !== false);
  const [a, b] =
    [diff.a.name, diff.b.name].includes('') || diff.a.name === diff.b.name
      ? [diff.a.path, diff.b.path]
      : [diff.a.name, diff.b.name];
  const body = html`<header>
<p class="eyebrow">edgepack diff</p>
<h1>${a}<span class="arrow"> → </span>${b}</h1>
<p class="subtitle">${verdict(diff)}</p>
<nav aria-label="Sections"><ul>${shown.map(([id, label]) => html`<li><a href="#${id}">${label}</a></li>`)}</ul></nav>
</header>
<main id="main">
${cards(diff)}
${shown.map(([, , content]) => content)}
</main>
<footer><p>Errors and signal are those of the second model against the first. This page loads nothing and sends nothing.</p></footer>`;
  return pageDocument({
    title: `${a} → ${b}: edgepack diff`,
    style: pageStyle + diffStyle,
    script: pageScript,
    body,
    skipText: 'Skip to the differences',
  });
}

function cards(diff: Diff): Markup {
  return html`<section class="cards" aria-label="At a glance">${sizeCard(diff)}${nodesCard(diff)}${valuesCard(diff)}</section>`;
}

function card(id: string, label: string, value: Content, certainty: Content, rows: Content, note: Content): Markup {
  return html`<article class="card" aria-labelledby="${id}"><h2 id="${id}">${label}</h2>
<p class="big">${value}</p><p class="certainty">${certainty}</p>
<table class="mini"><tbody>${rows}</tbody></table><p class="measured">${note}</p></article>`;
}

function pairRows(a: number, b: number, format: (value: number) => string): Content {
  const largest = Math.max(1, a, b);
  const row = (name: string, mark: 'before' | 'after', value: number) =>
    html`<tr><th scope="row">${name}</th><td class="chart">${inlineBar(mark, value / largest)}</td><td class="number">${format(value)}</td></tr>`;
  return [row('a', 'before', a), row('b', 'after', b)];
}

function sizeCard({ a, b }: Diff): Markup {
  // "1.00 × smaller" says less than that they are the same.
  const isAlike = Math.abs(a.fileBytes - b.fileBytes) < 0.005 * Math.max(a.fileBytes, b.fileBytes);
  const [factor, word] = splitChange(isAlike ? '' : formatSizeChange(a.fileBytes, b.fileBytes));
  const isPacked = a.fileBytes !== a.sizeBytes || b.fileBytes !== b.sizeBytes;
  return card(
    'card-size',
    'Size',
    html`${factor}${word !== '' && html` <span class="unit">${word}</span>`}`,
    isAlike && a.fileBytes !== b.fileBytes
      ? `but for ${formatBytes(Math.abs(a.fileBytes - b.fileBytes))}`
      : 'of the files; counted, so exact',
    pairRows(a.fileBytes, b.fileBytes, formatBytes),
    isPacked
      ? `Unpacked: ${formatBytes(a.sizeBytes)} and ${formatBytes(b.sizeBytes)}.`
      : 'With their external data, where they have any.',
  );
}

/** "3.56 × smaller" as figure and word; "the same size" as "same". */
function splitChange(text: string): [string, string] {
  const match = /^(.* ×) (\w+)$/.exec(text);
  return match === null ? ['same', ''] : [match[1]!, match[2]!];
}

function nodesCard({ a, b, nodes }: Diff): Markup {
  const difference = b.nodes - a.nodes;
  const value = difference === 0 ? 'same' : `${difference < 0 ? '−' : '+'}${Math.abs(difference)}`;
  return card(
    'card-nodes',
    'Nodes',
    html`${value}${difference !== 0 && html` <span class="unit">nodes</span>`}`,
    `${nodes.unchanged} are in both, unchanged`,
    pairRows(a.nodes, b.nodes, String),
    'Of the main graph; nodes inside branches and loops count with the node that holds them.',
  );
}

function valuesCard({ values, weights }: Diff): Markup {
  if (values === null) {
    const changed = weights.changes.filter(({ kind }) => kind === 'changed').length;
    return card(
      'card-weights',
      'Weights',
      html`${changed} <span class="unit">changed</span>`,
      `${weights.identical} the same`,
      '',
      'The models were not run: --run or --data compares their values layer by layer.',
    );
  }
  const outputs = values.all.filter(({ graphOutput }) => graphOutput);
  const worst = outputs.reduce<number | null | undefined>(
    (low, { sqnrDb, maxAbsoluteError }) =>
      maxAbsoluteError === 0 ? low : sqnrDb === null ? null : Math.min(low ?? Number.POSITIVE_INFINITY, sqnrDb),
    undefined,
  );
  const first = values.firstDifference === null ? null : values.all[values.firstDifference]!;
  return card(
    'card-values',
    'Outputs',
    outputs.length === 0
      ? 'not paired'
      : worst === undefined
        ? 'equal'
        : worst === null
          ? 'differ'
          : formatDecibels(worst),
    worst === undefined ? 'bit by bit' : 'signal to noise of the output that differs most',
    '',
    first === null
      ? html`No value of ${values.all.length} differs by more than rounding.`
      : html`First to differ: <strong>${first.node.name}</strong>.`,
  );
}

function sidesSection(diff: Diff): Markup {
  const { a, b } = diff;
  const describe = (value: Diff['inputs'][number]['a']) =>
    value === null
      ? 'none'
      : `${value.name}: ${value.dataType}${value.shape === null ? '' : ` [${value.shape.map((dim) => dim ?? '?').join(', ')}]`}`;
  const facts: readonly (readonly [string, string, string])[] = [
    ['file', a.path, b.path],
    ['size', formatBytes(a.fileBytes), formatBytes(b.fileBytes)],
    ...sideBySide(diff),
    ...(['inputs', 'outputs'] as const).flatMap((side) =>
      diff[side].map(
        ({ kind, a: first, b: second }) =>
          [`${side.slice(0, -1)}, ${kind}`, describe(first), describe(second)] as const,
      ),
    ),
    ...diff.properties
      .filter(({ name }) => !name.startsWith('opset '))
      .map(({ name, a: first, b: second }) => [name, first ?? 'none', second ?? 'none'] as const),
    ['SHA-256', a.sha256.slice(0, 16), b.sha256.slice(0, 16)],
  ];
  const table = dataTable(
    'Both models side by side',
    [
      { title: 'Fact', kind: 'text' },
      { title: 'a', kind: 'text' },
      { title: 'b', kind: 'text' },
    ],
    facts.map(([name, first, second]) => [
      name,
      longText(first, 300),
      first === second
        ? html`<span class="was">${longText(second, 300)}</span>`
        : html`<strong>${longText(second, 300)}</strong>`,
    ]),
  );
  return html`<section id="sides"><h2>Side by side</h2><div class="sides">${table}</div></section>`;
}

function warningsSection({ warnings }: Diff): Markup | false {
  if (warnings.length === 0) return false;
  return html`<section id="warnings"><h2>Warnings</h2>
<ul class="warnings">${warnings.map(({ code, message }) => html`<li><code>${code}</code>${longText(message, 1000)}</li>`)}</ul></section>`;
}

import { formatBytes, formatCount } from '../number-format.ts';
import { alarms, plural } from '../report-findings.ts';
import type { Report } from '../report-schema.ts';
import { accuracySection } from './accuracy-section.ts';
import { executionSection } from './execution-section.ts';
import { latencySection } from './latency-section.ts';
import { floatSection, sparsitySection, sqnrSection } from './layers-section.ts';
import { type Content, html, longText, type Markup } from './markup.ts';
import { memorySection } from './memory-section.ts';
import { pageDocument } from './page-document.ts';
import { pageScript } from './page-script.ts';
import { pageStyle } from './page-style.ts';
import { reproduceSection } from './reproduce-section.ts';
import { stepsSection } from './steps-section.ts';
import { summarySection } from './summary-section.ts';
import { treemapSection } from './treemap-section.ts';

/** The whole page of a report. The same report gives the same bytes. */
export function renderPage(report: Report): string {
  const sections: readonly (readonly [id: string, label: string, content: Markup | false])[] = [
    ['bytes', 'Steps', stepsSection(report)],
    ['loss', 'Accuracy', accuracySection(report)],
    ['execution', 'Shipped', executionSection(report)],
    ['latencies', 'Latency', latencySection(report)],
    ['memory', 'Memory', memorySection(report)],
    ['layers-bytes', 'Bytes by layer', treemapSection(report)],
    ['sqnr', 'SQNR by layer', sqnrSection(report)],
    ['zeros', 'Zeros by layer', sparsitySection(report)],
    ['float', 'Kept in float', floatSection(report)],
    ['warnings', 'Warnings', warningsSection(report)],
    ['reproduce', 'Reproduce', reproduceSection(report)],
  ];
  const shown = sections.filter(([, , content]) => content !== false);
  const links = shown.map(([id, label]) => html`<li><a href="#${id}">${label}</a></li>`);
  return pageDocument({
    title: `${report.model.name} for ${report.target.displayName}: edgepack report`,
    style: pageStyle,
    script: pageScript,
    skipText: 'Skip to the figures',
    body: html`${header(report, links)}
<main id="main">
${alarms(report).map((alarm) => html`<p class="alarm"><strong>Attention.</strong> ${alarm}</p>`)}
${summarySection(report)}
${shown.map(([, , content]) => content)}
</main>
${footer(report)}`,
  });
}

function header({ model, target, recipe }: Report, links: Content): Markup {
  const opset = model.opsetImports.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  const facts = [
    formatBytes(model.sizeBytes),
    `${formatCount(model.parameters)} parameters`,
    ...(model.macs === null ? [] : [`${formatCount(model.macs)} multiply-accumulates`]),
    plural(model.nodes, 'node'),
    ...(opset === undefined ? [] : [`opset ${opset.version}`]),
  ];
  return html`<header>
<p class="eyebrow">edgepack report</p>
<h1>${model.name} for ${target.displayName}</h1>
<p class="subtitle">Recipe ${recipe.name}. The original: ${facts.join(', ')}.</p>
<nav aria-label="Sections"><ul>${links}</ul></nav>
</header>`;
}

function warningsSection({ warnings, missing }: Report): Markup | false {
  const absent = Object.entries(missing).map(([path, reason]) => ({
    code: 'not measured',
    message: `${path}: ${reason}`,
  }));
  const all = [...warnings, ...absent];
  if (all.length === 0) return false;
  return html`<section id="warnings"><h2>Warnings and gaps</h2>
<ul class="warnings">${all.map(({ code, message }) => html`<li><code>${code}</code>${longText(message, 1000)}</li>`)}</ul></section>`;
}

function footer({ tool, target, latency }: Report): Markup {
  const measured =
    latency.device === undefined
      ? `Nothing here was measured on ${target.displayName} itself.`
      : `Only what is said of the device was measured there: ${latency.device.label}.`;
  return html`<footer>
<p>Shares have 95 % Wilson intervals. The change of accuracy has McNemar's paired interval. Medians and their ratio have bootstrap intervals over rounds: they cover the spread between the runs on this host, not that between machines.</p>
<p>${measured} Made by ${tool.name} ${tool.version}; this page loads nothing and sends nothing.</p>
</footer>`;
}

import { formatBytes } from '../number-format.ts';
import { plural, threads } from '../report-findings.ts';
import type { Report } from '../report-schema.ts';
import { dataTable } from './data-table.ts';
import { type Content, html, longText, type Markup } from './markup.ts';

/** What one needs to get the same bytes again and to check the figures. */
export function reproduceSection(report: Report): Markup {
  const { commandLine, outputs, model, data, versions, seed, recipe, target, latency, memory } = report;
  const onnx = outputs.find(({ path }) => path.endsWith('.onnx'));
  const epk = outputs.find(({ path }) => path.endsWith('.epk'));
  const commands: [string, string][] = [];
  if (commandLine !== null) commands.push(['Compress again', commandLine]);
  if (onnx !== undefined && data.evaluation !== null) {
    const words = [
      'edgepack evaluate',
      quote(onnx.path),
      '--against',
      quote(model.path),
      '--data',
      quote(data.evaluation.path),
    ];
    commands.push(['Measure accuracy again', [...words, '--target', target.name].join(' ')]);
  }
  if (epk !== undefined) commands.push(['Get the .onnx out of the .epk', `edgepack unpack ${quote(epk.path)}`]);
  const facts: [string, Content][] = [
    [
      'Target',
      `${target.displayName} (${target.name}), ${target.arithmetic === 'exact' ? 'exact' : 'saturating 16-bit'} integer arithmetic`,
    ],
    ...providerFacts(report),
    ['Recipe', `${recipe.name}: ${recipe.steps.map((step) => step.pass).join(', ')}`],
    [
      'Calibration',
      data.calibration === null ? 'none' : `${data.calibration.path}, ${plural(data.calibration.samples, 'sample')}`,
    ],
    [
      'Evaluation',
      data.evaluation === null ? 'none' : `${data.evaluation.path}, ${plural(data.evaluation.samples, 'sample')}`,
    ],
    ['Seed', seed],
    [
      'Versions',
      `edgepack ${versions.edgepack}, ONNX Runtime ${versions.onnxruntime ?? 'not used'}, Node ${versions.node}`,
    ],
    ['Measured on', latency.host === null ? 'not measured' : `${latency.host.cpu}, ${threads(latency.host.threads)}`],
  ];
  if (memory?.enginePeakBytes != null)
    facts.push(['Engine memory', `${formatBytes(memory.enginePeakBytes)} at most, while measuring`]);
  return html`<section id="reproduce"><h2>Reproduce</h2>
${
  commandLine === null &&
  html`<p class="lead">This run was started through the API, so there is no command line to repeat.</p>`
}${commands.map(([title, command]) => html`<h3>${title}</h3><pre tabindex="0"><code>${longText(command, 8000)}</code></pre>`)}
<dl class="facts">${facts.map(([term, text]) => html`<div><dt>${term}</dt><dd>${text}</dd></div>`)}</dl>
${dataTable(
  'Files and their SHA-256',
  [
    { title: 'File', kind: 'name' },
    { title: 'Size', kind: 'number' },
    { title: 'SHA-256', kind: 'name' },
  ],
  [
    [model.path, formatBytes(model.sizeBytes), model.sha256],
    ...outputs.map(({ path, sizeBytes, sha256 }) => [path, formatBytes(sizeBytes), sha256]),
  ],
)}
<p class="note">Every figure of this page, and those it leaves out, are in <a href="report.json">report.json</a>, which <code>compress</code> writes beside it. The same model, data, options and seed give the same files.</p></section>`;
}

function providerFacts({ provider }: Report): [string, Content][] {
  if (provider === undefined) return [];
  const { displayName, executionProvider, processor, notRun, needs, unused } = provider;
  const where = processor === null ? '' : `, on ${processor}`;
  const facts: [string, Content][] = [
    ['Provider', `${displayName} (${executionProvider})${where}${notRun === null ? '' : `; ${notRun}`}`],
  ];
  if (needs !== null) facts.push(['Provider needs', needs]);
  if (unused.length > 0) {
    const list = unused.map(({ name, optional, reason }) => `${name}${optional ? ' (optional)' : ''}: ${reason}`);
    facts.push(['Not used', list.join('. ')]);
  }
  return facts;
}

/** As the command line quotes its own words: POSIX shells and cmd.exe both take them apart again. */
function quote(word: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`;
}

import { printable } from '../diagnostics/printable.ts';
import { executionHeader, executionRows, executionSource } from './execution-rows.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFactor,
  formatPercent,
  formatPoints,
  formatSizeChange,
} from './number-format.ts';
import { alarms, comparisonRows, findings, headline, plural, threads } from './report-findings.ts';
import type { Report, ReportComparison } from './report-schema.ts';

type Share = ReportComparison['top1'];
const largestShown = 12;

/** `report.md`: for a pull request. Headline numbers open, details folded; names from the model are escaped. */
export function renderMarkdown(report: Report): string {
  const sections = [
    `## ${escapeMarkdown(headline(report))}`,
    ...alarms(report).map((alarm) => `> **${escapeMarkdown(alarm)}**`),
    bullets(report),
    accuracyTable(report),
    stepsTable(report),
    executionTable(report),
    floatLayers(report),
    bytesTable(report),
    warnings(report),
    reproduce(report),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function bullets(report: Report): string {
  return findings(report)
    .map((finding) => `- **${finding.label}**: ${escapeMarkdown(finding.text)}`)
    .join('\n');
}

function accuracyTable(report: Report): string {
  const { accuracy } = report;
  if (accuracy === null) return '';
  const rows = [
    ['original', share(accuracy.original.top1), share(accuracy.original.top5), '', '', '', ''],
    ...comparisonRows(report).map(({ name, comparison }) => [
      name,
      share(comparison.top1),
      share(comparison.top5),
      share(comparison.agreement),
      comparison.sqnrDb === null ? 'identical' : `${comparison.sqnrDb.toFixed(1)} dB`,
      comparison.cosine === null ? '' : comparison.cosine.toFixed(5),
      comparison.klDivergence === null ? '' : comparison.klDivergence.toExponential(1),
    ]),
  ];
  const lines = [
    `### Accuracy on ${plural(accuracy.samples, 'sample')}`,
    '',
    table(['model', 'top-1 (95 %)', 'top-5 (95 %)', 'agreement (95 %)', 'SQNR', 'cosine', 'KL'], rows),
  ];
  if (accuracy.paired !== null) {
    const { b, c, difference, standardError } = accuracy.paired;
    lines.push(
      '',
      `Sample by sample: ${b} right before and wrong after, ${c} the other way round: ` +
        `${formatPoints(-difference)} with a standard error of ${(standardError * 100).toFixed(2)} points.`,
    );
  }
  return lines.join('\n');
}

function stepsTable(report: Report): string {
  if (report.steps.length === 0) return '';
  const rows = report.steps.map((step) => [
    step.name,
    step.modified ? summarize(step.changes) : (step.changes[0]?.detail ?? 'nothing to do'),
    step.loss === null
      ? ''
      : [
          step.loss.sqnrDb === null ? 'outputs identical' : `SQNR ${step.loss.sqnrDb.toFixed(1)} dB`,
          step.loss.agreement === null ? '' : `agreement ${formatPercent(step.loss.agreement)}`,
        ]
          .filter((part) => part !== '')
          .join(', '),
    formatDuration(step.durationMs),
  ]);
  return ['### What was done', '', table(['step', 'changes', 'after it, against the original', 'time'], rows)].join(
    '\n',
  );
}

function executionTable({ execution }: Report): string {
  if (execution === undefined) return '';
  const rows = executionRows(execution);
  return [
    '### What is shipped',
    '',
    `${escapeMarkdown(printable(execution.because, 400))}.`,
    '',
    table(executionHeader, rows),
    '',
    `${escapeMarkdown(executionSource(execution))}.`,
  ].join('\n');
}

function summarize(changes: Report['steps'][number]['changes']): string {
  const counts = new Map<string, number>();
  for (const change of changes) counts.set(change.kind, (counts.get(change.kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} × ${kind}`).join(', ');
}

function floatLayers(report: Report): string {
  const kept = report.layers.filter((layer) => layer.precision === 'float');
  if (kept.length === 0) return '';
  const rows = kept.map((layer) => [layer.name, layer.opType, layer.reason ?? '']);
  return fold(`${plural(kept.length, 'layer')} kept in float`, table(['layer', 'operator', 'reason'], rows));
}

function bytesTable({ sizes }: Report): string {
  const all = [...sizes.initializers].sort(
    (a, b) => b.originalBytes - a.originalBytes || b.quantizedBytes - a.quantizedBytes,
  );
  const shown = all.slice(0, largestShown);
  const rest = all.slice(largestShown);
  const sum = (pick: (row: (typeof all)[number]) => number) => rest.reduce((total, row) => total + pick(row), 0);
  const coded = (value: number | null) => (value === null ? '' : formatBytes(value));
  const rows = shown.map((row) => [
    row.name,
    row.dataType,
    formatBytes(row.originalBytes),
    formatBytes(row.quantizedBytes),
    coded(row.codedBytes),
  ]);
  if (rest.length > 0) {
    rows.push([
      `${rest.length} more`,
      '',
      formatBytes(sum((row) => row.originalBytes)),
      formatBytes(sum((row) => row.quantizedBytes)),
      sizes.epkBytes === null ? '' : formatBytes(sum((row) => row.codedBytes ?? 0)),
    ]);
  }
  const { overhead } = sizes;
  rows.push(
    [
      'graph, names, container',
      '',
      formatBytes(overhead.originalBytes),
      formatBytes(overhead.onnxBytes),
      coded(overhead.epkBytes),
    ],
    ['**file**', '', formatBytes(sizes.originalBytes), formatBytes(sizes.onnxBytes), coded(sizes.epkBytes)],
  );
  const change = formatSizeChange(sizes.originalBytes, sizes.epkBytes ?? sizes.onnxBytes);
  return fold(`Where the bytes are (${change})`, table(['initializer', 'type', 'original', '.onnx', '.epk'], rows));
}

function warnings(report: Report): string {
  if (report.warnings.length === 0) return '';
  return [
    '### Warnings',
    '',
    ...report.warnings.map((warning) => `- ${escapeMarkdown(printable(warning.message, 400))}`),
  ].join('\n');
}

function reproduce(report: Report): string {
  const { model, versions } = report;
  const lines: string[] = [];
  if (report.commandLine !== null)
    lines.push('```', printable(report.commandLine, 2000).replaceAll('`', "'"), '```', '');
  lines.push(
    `Model: ${formatBytes(model.sizeBytes)}, ${formatCount(model.parameters)} parameters, ` +
      `${model.macs === null ? 'MACs unknown' : `${formatCount(model.macs)} MACs`}, ${plural(model.nodes, 'node')}, SHA-256 \`${model.sha256}\`  `,
    `edgepack ${versions.edgepack}, ONNX Runtime ${versions.onnxruntime ?? 'not used'}, Node ${versions.node}, seed ${report.seed}`,
  );
  const latency = report.latency.host;
  if (latency !== null) {
    lines.push(
      '',
      `Latency: ${escapeMarkdown(printable(latency.label, 200))}; ${plural(latency.original.samples.length, 'run')} of each model, interleaved, ` +
        `${threads(latency.threads)}. p90 ${formatDuration(latency.original.p90Ms)} → ${formatDuration(latency.compressed.p90Ms)}, ` +
        `p99 ${formatDuration(latency.original.p99Ms)} → ${formatDuration(latency.compressed.p99Ms)}, ${formatFactor(latency.ratio)} the time of the original, the median over ${plural(latency.rounds, 'round')}.`,
    );
  }
  return fold('Reproduce', lines.join('\n'));
}

function share(value: Share): string {
  if (value === null) return '';
  return `${formatPercent(value.value)} (${(value.low * 100).toFixed(1)} to ${(value.high * 100).toFixed(1)})`;
}

function fold(summary: string, body: string): string {
  return `<details><summary>${escapeMarkdown(summary)}</summary>\n\n${body}\n\n</details>`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = header.map((_, column) => column === 0 || rows.some((row) => row[column] !== ''));
  const line = (cells: readonly string[]) => `| ${cells.filter((_, column) => used[column]).join(' | ')} |`;
  return [
    line(header),
    line(header.map(() => '---')),
    ...rows.map((row) => line(row.map((cell) => (cell === '**file**' ? cell : escapeMarkdown(printable(cell, 200)))))),
  ].join('\n');
}

/** Makes text from outside harmless in a Markdown paragraph or table cell. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>|#]/g, (character) =>
    character === '<' ? '&lt;' : character === '>' ? '&gt;' : `\\${character}`,
  );
}

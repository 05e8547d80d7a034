import { printable } from '../diagnostics/printable.ts';
import { alarms, type Finding, findings, headline } from './report-findings.ts';
import type { Report } from './report-schema.ts';
import { wrapWords } from './wrap-words.ts';

/** How the summary for a terminal looks. */
export interface TerminalStyle {
  /** Columns of the terminal: long lines are wrapped under their text. Default 100. */
  readonly columns?: number;
  /** Colours a text; by default it stays as it is. */
  readonly paint?: (text: string, tone: Tone) => string;
}

/** How a piece of text should stand out. */
export type Tone = Finding['tone'] | 'title' | 'alarm' | 'path';

const labelColumns = 11;

/** The summary a person reads in five seconds: what is wrong first, then size, accuracy, latency; ends with a line feed. */
export function renderTerminal(report: Report, style: TerminalStyle = {}): string {
  const lines: string[] = [];
  for (const alarm of alarms(report)) lines.push(...block('!', alarm, style, 'alarm', 2));
  if (lines.length > 0) lines.push('');
  lines.push(paint(style, headline(report), 'title'), '');
  for (const finding of findings(report)) {
    lines.push(...block(finding.label, finding.text, style, finding.tone));
  }
  for (const warning of report.warnings) {
    lines.push(...block('warning', printable(warning.message, 400), style, 'bad'));
  }
  if (report.outputs.length > 0) {
    const written = report.outputs.map((output) => printable(output.path, 300)).join('  ');
    lines.push('', ...block('wrote', written, style, 'path'));
  }
  return `${lines.join('\n')}\n`;
}

function paint(style: TerminalStyle, text: string, tone: Tone): string {
  return style.paint === undefined ? text : style.paint(text, tone);
}

/** A label and its text, wrapped at words so that every line starts under the text. */
function block(label: string, text: string, style: TerminalStyle, tone: Tone, indent = labelColumns): string[] {
  const margin = indent === labelColumns ? '  ' : '';
  const room = Math.max(30, (style.columns ?? 100) - indent - margin.length - 1);
  return wrapWords(text, room).map(
    (part, index) => `${margin}${(index === 0 ? label : '').padEnd(indent)}${paint(style, part, tone)}`,
  );
}

import { Chalk, type ChalkInstance, type ColorSupportLevel } from 'chalk';
import { printable } from '../diagnostics/printable.ts';
import { alarms, type Finding, findings, headline } from './report-findings.ts';
import type { Report } from './report-schema.ts';

export interface TerminalStyle {
  /** Colours of the terminal: 0 none, 1 to 3 as chalk counts them. */
  readonly colorLevel: ColorSupportLevel;
  /** Columns of the terminal: long lines are wrapped under their text. */
  readonly columns: number;
}

const labelColumns = 11;

/** The summary a person reads in five seconds: what is wrong first, then size, accuracy, latency; ends with a line feed. */
export function renderTerminal(report: Report, style: TerminalStyle): string {
  const chalk = new Chalk({ level: style.colorLevel });
  const lines: string[] = [];
  for (const alarm of alarms(report)) lines.push(...block('!', alarm, style, chalk.yellow.bold, 2));
  if (lines.length > 0) lines.push('');
  lines.push(chalk.bold(headline(report)), '');
  for (const finding of findings(report)) {
    lines.push(...block(finding.label, finding.text, style, paint(chalk, finding.tone)));
  }
  for (const warning of report.warnings) {
    lines.push(...block('warning', printable(warning.message, 400), style, chalk.yellow));
  }
  if (report.outputs.length > 0) {
    const written = report.outputs.map((output) => printable(output.path, 300)).join('  ');
    lines.push('', ...block('wrote', written, style, chalk.cyan));
  }
  return `${lines.join('\n')}\n`;
}

function paint(chalk: ChalkInstance, tone: Finding['tone']): (text: string) => string {
  if (tone === 'good') return chalk.green;
  if (tone === 'bad') return chalk.yellow;
  return tone === 'muted' ? chalk.dim : (text) => text;
}

/** A label and its text, wrapped at words so that every line starts under the text. */
function block(
  label: string,
  text: string,
  style: TerminalStyle,
  color: (text: string) => string,
  indent = labelColumns,
): string[] {
  const margin = indent === labelColumns ? '  ' : '';
  const room = Math.max(30, style.columns - indent - margin.length - 1);
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    if (row !== '' && row.length + 1 + word.length > room) {
      rows.push(row);
      row = word;
    } else {
      row = row === '' ? word : `${row} ${word}`;
    }
  }
  rows.push(row);
  return rows.map((part, index) => `${margin}${(index === 0 ? label : '').padEnd(indent)}${color(part)}`);
}

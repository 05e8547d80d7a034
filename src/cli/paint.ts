import { Chalk } from 'chalk';
import type { TerminalStyle, Tone } from '../report/render-terminal.ts';
import { type CliProcess, type CliStream, colorLevel, columns } from './cli-process.ts';

/** The look of text on one stream. */
export type Style = Required<TerminalStyle>;

/** How text for a person looks on a stream: its width and, on a terminal that wants them, colours. */
export function terminalStyle(stream: CliStream, env: CliProcess['env']): Style {
  const chalk = new Chalk({ level: colorLevel(stream, env) });
  const paints: Readonly<Record<Tone, (text: string) => string>> = {
    plain: (text) => text,
    good: chalk.green,
    bad: chalk.yellow,
    muted: chalk.dim,
    title: chalk.bold,
    alarm: chalk.yellow.bold,
    path: chalk.cyan,
  };
  return { columns: columns(stream), paint: (text, tone) => paints[tone](text) };
}

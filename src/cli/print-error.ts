import { Chalk } from 'chalk';
import { CommanderError } from 'commander';
import { EdgepackError, type ErrorCode, ExitCode } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { type CliProcess, colorLevel } from './cli-process.ts';

/**
 * Prints what went wrong and returns the exit code: a known mistake as one calm line and a hint, an unknown one with
 * its stack and where to report it.
 */
export function printError(error: unknown, process: CliProcess): number {
  const chalk = new Chalk({ level: colorLevel(process.stderr, process.env) });
  const say = (label: string, text: string) => process.stderr.write(`${label} ${text}\n`);
  if (error instanceof EdgepackError && error.exitCode !== ExitCode.internal) {
    say(chalk.red('error:'), `${oneLine(withPlace(error))} ${codeOf(error.code)}`);
    if (error.hint !== undefined) say(chalk.cyan('hint:'), sentence(oneLine(error.hint)));
    return error.exitCode;
  }
  if (error instanceof CommanderError) {
    const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
    say(chalk.red('error:'), `${printable(oneLine(message), 400).replace(/\.$/, '')} ${codeOf('usage')}`);
    say(
      chalk.cyan('hint:'),
      suggestion === undefined
        ? '"edgepack help" shows the commands and their options'
        : printable(suggestion.replace(/^\(|\)$/g, ''), 400),
    );
    return ExitCode.usage;
  }
  const code = error instanceof EdgepackError ? ` ${codeOf(error.code)}` : '';
  say(chalk.red('internal error:'), `${error instanceof Error ? oneLine(error.message) : String(error)}${code}`);
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    process.stderr.write(`${cause === error ? '' : 'caused by '}${cause.stack ?? cause.message}\n`);
  }
  say(chalk.cyan('hint:'), 'This is a mistake in edgepack. Please report it with the lines above and the command');
  return ExitCode.internal;
}

/** The message with the file, node and tensor it concerns in front, as far as it does not name them itself. */
function withPlace({ message, location: { file, node, tensor } }: EdgepackError): string {
  const places: string[] = [];
  if (file !== undefined && !message.includes(printable(file, 300))) places.push(printable(file, 300));
  if (node !== undefined && !quotes(message, node)) places.push(`node '${printable(node)}'`);
  if (tensor !== undefined && !quotes(message, tensor)) places.push(`tensor '${printable(tensor)}'`);
  return [...places, message].join(': ');
}

/** Short names are part of many words: one is named where it stands in quotes. */
function quotes(message: string, name: string): boolean {
  return message.includes(`'${printable(name)}'`) || message.includes(`'${printable(name, 300)}'`);
}

/** Hints begin with a capital letter and, as single lines, end without a full stop, whoever wrote them. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/(?<!\.)\.$/, '');
}

/** The code at the end of an error line: what to look up in docs/troubleshooting.md. */
function codeOf(code: ErrorCode): string {
  return `[${code}]`;
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}

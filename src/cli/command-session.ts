import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Logger } from '../diagnostics/logger.ts';
import type { CliApi } from './cli-api.ts';
import type { CliProcess } from './cli-process.ts';
import { type Style, terminalStyle } from './paint.ts';
import { terminalLogger, type Verbosity } from './terminal-logger.ts';

/** What a command gets beside its own arguments. */
export interface CommandContext {
  readonly process: CliProcess;
  readonly api: CliApi;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** While a search has something to fall back on: how to end it. The first SIGINT does. */
  onSearch(stop: (() => void) | undefined): void;
  /** Sets the exit code where a command ends without an error but not well. */
  setExitCode(code: number): void;
  /** Called when the command has ended, well or not, and before an error is printed. */
  atEnd(action: () => void): void;
}

/** Options every command has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

export function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option('--json', 'Print the result as JSON on the output stream, and nothing else there'))
    .addOption(new Option('-q, --quiet', 'Print errors only').conflicts('verbose'))
    .addOption(new Option('--verbose', 'Print every step').conflicts('quiet'));
}

/** Output of one command: messages and progress go to the error stream, the result to the output stream. */
export class CommandSession {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly #context: CommandContext;
  readonly #options: CommonOptions;

  constructor(context: CommandContext, options: CommonOptions) {
    const verbosity: Verbosity = options.quiet === true ? 'quiet' : options.verbose === true ? 'verbose' : 'normal';
    this.#context = context;
    this.#options = options;
    this.signal = context.signal;
    const logger = terminalLogger(context.process.stderr, context.process.env, verbosity);
    context.atEnd(() => logger.stop());
    this.logger = logger;
  }

  /** The style of text for a person on the output stream. */
  get style(): Style {
    return terminalStyle(this.#context.process.stdout, this.#context.process.env);
  }

  /** Prints a result: JSON where asked for, else the text, which --quiet leaves out. */
  print(value: unknown, text: () => string): void {
    if (this.#options.json === true) this.#context.process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    else if (this.#options.quiet !== true) this.#context.process.stdout.write(text());
  }

  /** A path as typed, or against the working folder where that is not the folder of this process. */
  path(typed: string): string {
    const cwd = this.#context.process.cwd();
    return resolve(cwd) === process.cwd() ? typed : resolve(cwd, typed);
  }

  /** How to repeat the run: quoted so that a POSIX shell and cmd.exe both take it apart again. */
  get commandLine(): string {
    return ['edgepack', ...this.#context.process.argv.slice(2)]
      .map((word) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`))
      .join(' ');
  }
}

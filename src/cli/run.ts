import { Command, CommanderError } from 'commander';
import { ExitCode } from '../diagnostics/edgepack-error.ts';
import type { CliApi } from './cli-api.ts';
import { type CliProcess, colorLevel, columns } from './cli-process.ts';
import { type CommandEntry, commandList } from './command-list.ts';
import { type CommandContext, withCommonOptions } from './command-session.ts';
import { explainMissingPackage } from './explain-missing-package.ts';
import { overview } from './overview.ts';
import { printError } from './print-error.ts';

const interruptedExitCode = { SIGINT: 130, SIGTERM: 143 } as const;

/** How long an interrupted command may take to clean up. */
const cleanUpMs = 5000;

const examples = `
Start here:
  edgepack compress model.onnx --target rpi4 --data photos/
  edgepack inspect model.onnx
  edgepack targets

"edgepack <command> --help" shows the options and examples of a command.`;

/**
 * Runs one command line and returns the exit code; nothing is thrown and the process is not ended.
 * Results go to the output stream, everything else to the error stream.
 */
export async function run(process: CliProcess, api: CliApi): Promise<number> {
  const abort = new AbortController();
  let exitCode: number = ExitCode.ok;
  const endings: (() => void)[] = [];
  const tidy = () => {
    for (const action of endings.splice(0)) action();
  };
  let stopSearch: (() => void) | undefined;
  let interrupted: ((code: number) => void) | undefined;
  const interruption = new Promise<number>((resolve) => {
    interrupted = resolve;
  });
  let insisted: (() => void) | undefined;
  const insistence = new Promise<void>((resolve) => {
    insisted = resolve;
  });
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const listener = () => {
      if (signal === 'SIGINT' && stopSearch !== undefined) {
        stopSearch();
        stopSearch = undefined;
        process.stderr.write('finishing with the best model so far; interrupt again to stop at once\n');
        return;
      }
      if (abort.signal.aborted) insisted?.();
      abort.abort(new Error(`interrupted by ${signal}`));
      interrupted?.(interruptedExitCode[signal]);
    };
    process.on?.(signal, listener);
    return () => process.off?.(signal, listener);
  });
  const context: CommandContext = {
    process,
    api,
    signal: abort.signal,
    onSearch: (stop) => {
      stopSearch = stop;
    },
    setExitCode: (code) => {
      exitCode = code;
    },
    atEnd: (action) => {
      endings.push(action);
    },
  };
  try {
    const work = execute(context).then(() => exitCode);
    const code = await Promise.race([work, interruption.then((code) => settle(work, code, insistence))]);
    tidy();
    if (abort.signal.aborted) process.stderr.write('interrupted\n');
    return code;
  } catch (error) {
    tidy();
    if (abort.signal.aborted) {
      process.stderr.write('interrupted\n');
      return interruption;
    }
    if (error instanceof CommanderError && error.exitCode === 0) return ExitCode.ok;
    if (error instanceof CommanderError && error.code === 'commander.help') return ExitCode.usage;
    return printError(explainMissingPackage(error), process);
  } finally {
    for (const remove of listeners) remove();
  }
}

/** Waits for interrupted work to clean up, but not for ever, and not after a second interruption. */
async function settle(work: Promise<number>, code: number, insistence: Promise<void>): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, cleanUpMs);
  });
  await Promise.race([work.catch(() => undefined), patience, insistence]);
  clearTimeout(timer);
  return code;
}

async function execute(context: CommandContext): Promise<void> {
  const { process } = context;
  if (process.argv.length <= 2) {
    process.stdout.write(overview(context));
    return;
  }
  const program = await createProgram(context, (name) => process.argv.includes(name, 2));
  await program.parseAsync([...process.argv]);
}

/**
 * The commands and their options; what they do happens in `context`.
 * @param isNamed whether a command may be asked for: others are there with their names and summaries only.
 */
export async function createProgram(
  context: CommandContext,
  isNamed: (name: string) => boolean = () => true,
): Promise<Command> {
  const { process } = context;
  const program = new Command('edgepack')
    .description('Makes ONNX models smaller and faster for edge devices, and says honestly what that cost and gained.')
    .version(context.api.version, '-V, --version', 'Print the version')
    .helpOption('-h, --help', 'Show help')
    .helpCommand('help [command]', 'Show help for a command')
    // Commands below commands have options of the same names.
    .enablePositionalOptions()
    .addHelpText('after', examples);
  // A script that completes command lines tells of all commands.
  const isWhole = isNamed('completion');
  for (const entry of commandList) {
    const create = isWhole || isNamed(entry.name) ? await entry.load() : undefined;
    const command = create === undefined ? placeholder(entry) : create(context);
    program.addCommand(command.summary(entry.summary));
  }
  for (const command of [program, ...program.commands.flatMap((child) => [child, ...child.commands])]) {
    command
      .exitOverride()
      .configureOutput({
        writeOut: (text) => process.stdout.write(text),
        writeErr: (text) => process.stderr.write(text),
        outputError: () => undefined,
        getOutHelpWidth: () => columns(process.stdout),
        getErrHelpWidth: () => columns(process.stderr),
        getOutHasColors: () => colorLevel(process.stdout, process.env) > 0,
        getErrHasColors: () => colorLevel(process.stderr, process.env) > 0,
      })
      // The descriptions of options name choices and defaults themselves.
      .configureHelp({ optionDescription: (option) => option.description })
      .showSuggestionAfterError(true)
      .allowExcessArguments(false);
    if (command !== program) command.helpOption('-h, --help', 'Show help');
  }
  return program;
}

/** A command as far as the help of the program shows it. */
function placeholder({ name, usage }: CommandEntry): Command {
  const command = new Command(name);
  for (const word of usage.split(' ')) {
    if (word === '[options]') withCommonOptions(command);
    else command.argument(word);
  }
  return command;
}

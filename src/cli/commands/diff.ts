import { Command, Option } from 'commander';
import { ExitCode } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { type DiffOptions, diffOptionsSchema } from '../../pipeline/diff-options.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { optionsFromSchema } from '../options-from-schema.ts';
import { renderDiff } from '../render-diff.ts';
import { optionHints } from './compress.ts';

const examples = `
Examples:
  edgepack diff model.onnx out/model.onnx
      nodes, weights, sizes, inputs and outputs
  edgepack diff model.onnx out/model.epk --data photos/ --html diff.html
      also the values of every layer on real samples, and a page to look at
  edgepack diff old.onnx new.onnx --run --json
      values on made-up inputs, for a program
  edgepack diff golden.onnx export.onnx --exit-code --quiet
      for scripts: exit code 1 where they differ

Exit codes: 0 compared, 1 with --exit-code where they differ, 2 wrong arguments or data, 3 model refused, 70 a bug.`;

const hints = { ...optionHints, html: { value: 'file' }, samples: { value: 'count' } };

type Flags = CommonOptions & DiffOptions & { readonly exitCode?: boolean; readonly all?: boolean };

export function diffCommand(context: CommandContext): Command {
  const command = new Command('diff')
    .description(
      'Compares two models: nodes matched by structure and name, weights, sizes, inputs and outputs, and where asked the values of every layer. The models are not changed.',
    )
    .argument('<a>', 'the first .onnx or .epk file, often the original')
    .argument('<b>', 'the second one')
    .addHelpText('after', examples);
  for (const option of optionsFromSchema(diffOptionsSchema, hints)) command.addOption(option);
  command
    .addOption(new Option('--all', 'List every change instead of the first of each kind'))
    .addOption(new Option('--exit-code', 'Exit with 1 where the models differ'));
  return withCommonOptions(command).action(async (a: string, b: string, flags: Flags) => {
    const session = new CommandSession(context, flags);
    const { json, quiet, verbose, exitCode, all, ...options } = flags;
    const result = await context.api.diff(
      session.path(a),
      session.path(b),
      {
        ...options,
        ...(options.data === undefined ? {} : { data: session.path(options.data) }),
        ...(options.html === undefined ? {} : { html: session.path(options.html) }),
      },
      { logger: session.logger, signal: session.signal },
    );
    session.print(result, () => {
      const page = options.html === undefined ? '' : `\n${session.style.paint(printable(options.html, 300), 'path')}\n`;
      return renderDiff(result, { ...session.style, all: all === true }) + page;
    });
    if (exitCode === true && !result.identical) context.setExitCode(ExitCode.gateFailed);
  });
}

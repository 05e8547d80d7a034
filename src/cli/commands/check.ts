import { Command, Option } from 'commander';
import { EdgepackError, ExitCode } from '../../diagnostics/edgepack-error.ts';
import { type CheckOptions, checkOptionsSchema } from '../../pipeline/check-options.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { configFileName, configSource, loadConfig } from '../load-config.ts';
import { optionsFromSchema } from '../options-from-schema.ts';
import { renderCheck } from '../render-check.ts';
import { type CheckOutputs, requireOutputs, writeCheckOutputs } from '../write-check-outputs.ts';
import { optionHints } from './compress.ts';

const examples = `
Examples:
  edgepack check
      the report in the configured output folder, by the budgets in edgepack.config.json
  edgepack check out/ --baseline main/report.json
      also what must not grow: sizes, loss of accuracy, latency
  edgepack check model.onnx --baseline main.onnx --data test.npz --junit check.xml
  edgepack check out/ --baseline main/ --device ssh://pi@raspberrypi.local
      limits of latency.device are judged by timing both models in turns on the board
  edgepack check --history history.jsonl --commit 1f0c2ab --trend trend.svg --badge size.svg
  edgepack check --baseline main/ --markdown comment.md --json

Measures only what a budget asks for and the report does not decide. Inside GitHub Actions (GITHUB_ACTIONS=true)
failed limits become annotations, and the step gets a summary.
Exit codes: 0 within budget, 1 over budget, 2 wrong arguments or configuration, or a limit that cannot be judged as
it stands, 3 model refused, 70 a bug, 130 interrupted.`;

const hints = {
  ...optionHints,
  baseline: { short: '-b', value: 'report' },
  baselineModel: { value: 'model' },
  original: { value: 'model' },
  maxSeconds: { value: 'seconds' },
};

const pathOptions = ['baseline', 'baselineModel', 'original', 'data', 'evaluation', 'labels', 'sshConfig'] as const;
const outputOptions = ['junit', 'markdown', 'history', 'trend', 'badge'] as const;

type Flags = CommonOptions & Omit<CheckOptions, 'budgets' | 'config'> & CheckOutputs & { readonly config?: string };

export function checkCommand(context: CommandContext): Command {
  const command = new Command('check')
    .description(
      'Judges a compressed model by "budgets" in edgepack.config.json: sizes, accuracy, latency, memory; absolute, or against a baseline.',
    )
    .argument(
      '[subject]',
      'a report.json, a folder that holds one, or an .onnx, .ort or .epk file; by default the output folder',
    )
    .addHelpText('after', examples);
  for (const option of optionsFromSchema(checkOptionsSchema, hints)) command.addOption(option);
  command
    .addOption(new Option('--config <file>', `Configuration with the budgets (default: ${configFileName})`))
    .addOption(new Option('--junit <file>', 'Also write JUnit XML'))
    .addOption(new Option('--markdown <file>', 'Also write Markdown, for a comment on a pull request'))
    .addOption(new Option('--history <file>', 'Add a row to this file of JSON lines'))
    .addOption(new Option('--commit <id>', "The row's commit (default: of the CI server, or git's HEAD)"))
    .addOption(new Option('--trend <file>', 'Draw the history as SVG'))
    .addOption(new Option('--badge <file>', 'Write a badge with the size as SVG'));
  return withCommonOptions(command).action(async (subject: string | undefined, flags: Flags) => {
    const session = new CommandSession(context, flags);
    const cwd = context.process.cwd();
    const { json, quiet, verbose, config: configPath, junit, markdown, history, commit, trend, badge, ...own } = flags;
    const outputs: Record<string, string> = {};
    for (const key of outputOptions) if (flags[key] !== undefined) outputs[key] = session.path(flags[key]);
    if (commit !== undefined) outputs.commit = commit;
    requireOutputs(outputs);
    const config = await loadConfig(cwd, configPath);
    const source = configSource(cwd, configPath);
    if (config.budgets === undefined) {
      throw new EdgepackError(
        'config',
        `there are no budgets${source === undefined ? `: no ${configFileName} here` : ` in ${source.file}`}`,
        {
          hint: '"edgepack init" writes a configuration with budgets to start with.',
        },
      );
    }
    const { target, data, evaluation, labels, preprocess, threads, seed } = config;
    const configured = Object.entries({ target, data, evaluation, labels, preprocess, threads, seed });
    const options: Record<string, unknown> = {
      ...Object.fromEntries(configured.filter(([, value]) => value !== undefined)),
      ...own,
    };
    for (const key of pathOptions) if (typeof options[key] === 'string') options[key] = session.path(options[key]);
    const result = await context.api.check(
      session.path(subject ?? config.output ?? 'out'),
      { ...options, budgets: config.budgets, ...(source === undefined ? {} : { config: source }) },
      { logger: session.logger, signal: session.signal, commandLine: session.commandLine },
    );
    const { undecided } = config.budgets;
    await writeCheckOutputs(result, outputs, undecided, context.process);
    session.print(result, () => renderCheck(result, session.style, undecided));
    if (result.status === 'failed') context.setExitCode(ExitCode.gateFailed);
    if (result.status === 'refused') context.setExitCode(ExitCode.usage);
  });
}

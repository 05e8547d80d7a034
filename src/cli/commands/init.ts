import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { Command, Option } from 'commander';
import { readCheckedReport } from '../../budget/checked-report.ts';
import { proposeBudgets } from '../../budget/propose-budgets.ts';
import { closestName } from '../../diagnostics/closest-name.ts';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import type { Config } from '../../pipeline/compress-options.ts';
import { writePieces } from '../../storage/write-pieces.ts';
import { ask, canAsk, type Question } from '../ask.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { configFileName, configSource, loadConfig } from '../load-config.ts';

const examples = `
Examples:
  edgepack init
      asks for the model, the device and the data
  edgepack init --yes --model model.onnx --target rpi4 --data photos/
      asks nothing
  edgepack init --report out/report.json --force
      limits from today's figures, with some room

Without a terminal nothing is asked: what no flag says takes its default.`;

interface Flags extends CommonOptions {
  readonly yes?: boolean;
  readonly model?: string;
  readonly target?: string;
  readonly data?: string;
  readonly report?: string;
  readonly config?: string;
  readonly force?: boolean;
}

const schemaPath = 'node_modules/edgepack/schemas/edgepack.config.schema.json';
const defaultTarget = 'generic-arm64';

export function initCommand(context: CommandContext): Command {
  const command = new Command('init')
    .description('Writes edgepack.config.json: model, device, data, and budgets for "edgepack check".')
    .addOption(new Option('-y, --yes', 'Ask nothing: what no flag says takes its default'))
    .addOption(new Option('--model <file>', 'The .onnx file (default: the only one in this folder)'))
    .addOption(new Option('-t, --target <device>', `Device to compress for (default: ${defaultTarget})`))
    .addOption(new Option('-d, --data <path>', 'Samples for calibration and evaluation (default: none)'))
    .addOption(
      new Option(
        '--report <file>',
        'Report whose figures become limits (default: out/report.json, where there is one)',
      ),
    )
    .addOption(new Option('--config <file>', `File to write (default: ${configFileName})`))
    .addOption(new Option('-f, --force', 'Change an existing configuration: its budgets, and what a flag says'))
    .addHelpText('after', examples);
  return withCommonOptions(command).action(async (flags: Flags) => {
    const session = new CommandSession(context, flags);
    const path = session.path(flags.config ?? configFileName);
    if (existsSync(path) && flags.force !== true) {
      throw new EdgepackError('output-exists', `${printable(flags.config ?? configFileName, 300)} is already there`, {
        hint: 'Change it by hand, or let --force replace its budgets.',
        location: { file: path },
      });
    }
    // What an earlier configuration says stays, but for what is asked and the budgets.
    const earlier = existsSync(path) ? await loadConfig(context.process.cwd(), flags.config) : {};
    const answers = await answersOf(context, session, { ...pickAnswers(earlier), ...flags });
    const inspection = await context.api.inspect(session.path(answers.model), session);
    const reportPath = reportOf(session, flags.report, earlier.output ?? 'out');
    const report = reportPath === undefined ? undefined : readCheckedReport(reportPath);
    const from = (typed: string) => pathFrom(dirname(path), session.path(typed));
    const config: Partial<Config> = {
      ...(existsSync(path)
        ? JSON.parse(configSource(context.process.cwd(), flags.config)!.text.replace(/^\uFEFF/, ''))
        : {}),
      ...(existsSync(session.path(schemaPath)) ? { $schema: from(schemaPath) } : {}),
      model: from(answers.model),
      target: /\.json$|[/\\]/i.test(answers.target) ? from(answers.target) : answers.target,
      ...(answers.data === '' ? {} : { data: from(answers.data) }),
      budgets: proposeBudgets(report, inspection.model),
    };
    writePieces(path, [Buffer.from(`${JSON.stringify(config, null, 2)}\n`)]);
    session.print({ path, config }, () =>
      nextSteps(flags.config ?? configFileName, answers.data, report !== undefined),
    );
  });
}

interface Answers {
  readonly model: string;
  readonly target: string;
  readonly data: string;
}

async function answersOf({ process, api }: CommandContext, session: CommandSession, flags: Flags): Promise<Answers> {
  const isThere = (typed: string) => existsSync(session.path(typed));
  const targets = await api.listTargets();
  const questions: Record<keyof Answers, Question> = {
    model: {
      text: 'Model (.onnx)',
      fallback: onlyModel(process.cwd()),
      check: (answer) => (answer === '' ? 'a model is needed' : isThere(answer) ? undefined : 'no such file'),
    },
    target: {
      text: `Device (${targets.join(', ')}, or a .json file)`,
      fallback: defaultTarget,
      check: (answer) => {
        if (targets.includes(answer) || (/\.json$/i.test(answer) && isThere(answer))) return undefined;
        const near = closestName(answer, targets);
        return `no such device${near === undefined ? '' : `; did you mean ${near}?`}`;
      },
    },
    data: {
      text: 'Samples (image folder, .npy or .npz; empty for none)',
      fallback: '',
      check: (answer) => (answer === '' || isThere(answer) ? undefined : 'no such file or folder'),
    },
  };
  const given: Partial<Record<keyof Answers, string>> = {
    model: flags.model,
    target: flags.target,
    data: flags.data,
  } as object;
  const open = (['model', 'target', 'data'] as const).filter((key) => given[key] === undefined);
  const isAsking = flags.yes !== true && flags.json !== true && canAsk(process);
  const typed = isAsking
    ? await ask(
        open.map((key) => questions[key]),
        process,
      )
    : open.map((key) => questions[key].fallback ?? '');
  const answers = { ...given, ...Object.fromEntries(open.map((key, i) => [key, typed[i]!])) } as Record<
    keyof Answers,
    string
  >;
  for (const key of ['model', 'target', 'data'] as const) {
    const mistake = questions[key].check(answers[key]);
    if (mistake === undefined) continue;
    const subject = answers[key] === '' ? `--${key}` : `--${key} ${printable(answers[key])}`;
    throw new EdgepackError('usage', `${subject}: ${mistake}`, {
      hint: 'For example: edgepack init --model model.onnx --target rpi4 --data photos/',
    });
  }
  return answers;
}

function pickAnswers({ model, target, data }: Partial<Config>): Partial<Answers> {
  return Object.fromEntries(Object.entries({ model, target, data }).filter(([, value]) => value !== undefined));
}

/** The one .onnx file of a folder. */
function onlyModel(folder: string): string | undefined {
  const models = readdirSync(folder).filter((name) => /\.onnx$/i.test(name));
  return models.length === 1 ? models[0] : undefined;
}

function reportOf(session: CommandSession, named: string | undefined, output: string): string | undefined {
  const path = session.path(named ?? join(output, 'report.json'));
  return named !== undefined || existsSync(path) ? path : undefined;
}

/** As the configuration names it: relative to its folder, with slashes. */
function pathFrom(folder: string, path: string): string {
  return relative(folder, resolve(path)).split(sep).join('/') || '.';
}

function nextSteps(file: string, data: string, hasReport: boolean): string {
  const config = file === configFileName ? '' : ` --config ${printable(file, 300)}`;
  const steps = hasReport
    ? [
        `edgepack check${config}`,
        '    judges the report by the limits',
        `edgepack check${config} --baseline <report of the main branch>`,
        '    also judges what must not grow',
      ]
    : [
        `edgepack compress${config}`,
        `edgepack init${config} --force --report out/report.json`,
        "    limits from the result's figures",
        `edgepack check${config}`,
      ];
  const accuracy =
    data === ''
      ? ['', 'Without samples nothing is calibrated and no accuracy is measured: set "data" when you have some.']
      : [];
  return [`wrote ${printable(file, 300)}`, '', 'Next:', ...steps.map((step) => `  ${step}`), ...accuracy, ''].join(
    '\n',
  );
}

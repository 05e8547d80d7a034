import { Command, Option } from 'commander';
import { EdgepackError, ExitCode } from '../../diagnostics/edgepack-error.ts';
import { checkValue } from '../../diagnostics/parse-checked-json.ts';
import { printable } from '../../diagnostics/printable.ts';
import { type CompressOptions, compressOptionsSchema } from '../../pipeline/compress-options.ts';
import { renderTerminal } from '../../report/render-terminal.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { loadConfig } from '../load-config.ts';
import { type OptionHint, optionsFromSchema } from '../options-from-schema.ts';
import { renderPlan } from '../render-plan.ts';

/** Short flags and value words of the options; everything else comes from the schema. */
export const optionHints: Readonly<Record<string, OptionHint>> = {
  target: { short: '-t', value: 'device' },
  provider: { value: 'provider' },
  recipe: { short: '-r', value: 'recipe' },
  format: { value: 'format' },
  output: { short: '-o', value: 'folder' },
  data: { short: '-d', value: 'path' },
  calibration: { value: 'path' },
  evaluation: { value: 'path' },
  labels: { value: 'file' },
  preprocess: { value: 'preset' },
  device: { value: 'ssh-url' },
  sshConfig: { value: 'file' },
  sparsity: { value: 'share' },
  scope: { value: 'scope' },
  maskStructure: { value: 'structure' },
  calibrationMethod: { value: 'method' },
  nodesToExclude: { value: 'pattern' },
  maxAccuracyDrop: { value: 'points' },
  engineMemory: { value: 'mib' },
  engineTimeout: { value: 'seconds' },
  timeLimit: { value: 'seconds' },
  threads: { value: 'count' },
  cacheFolder: { value: 'folder' },
  force: { short: '-f' },
};

const examples = `
Examples:
  edgepack compress model.onnx --target rpi4 --data photos/
      int8 weights and activations, calibrated and checked on your photos
  edgepack compress model.onnx --target rpi4
      no data: int8 weights only, the model still computes in float
  edgepack compress model.onnx -t n100 -d samples.npz --recipe accurate -o small/
  edgepack compress model.onnx -t rpi4 -d photos/ --max-accuracy-drop 2 --time-limit 60
      the smallest .epk that loses at most two points; looked for during a minute at most
  edgepack compress model.onnx -t rpi5 -d photos/ --sparsity 0.5 --nodes-to-exclude "/head/*"
  edgepack compress model.onnx -t rpi5 -d photos/ --mask-structure 2:4
      zeros that are asked for: half of the weights, or two of every four
  edgepack compress model.onnx -t jetson-orin-nano -d photos/ --provider tensorrt
      int8 as TensorRT runs it; "edgepack targets jetson-orin-nano" shows what there is
  edgepack compress model.onnx -t rpi4 -d photos/ --device ssh://pi@raspberrypi.local
      measures on the board itself whether int8 is slower there, and ships what is not
  edgepack compress model.onnx --dry-run
      says what would be done and writes nothing

Writes <name>.onnx, <name>.epk, report.json, report.md and report.html into the output folder.
Options may also stand in edgepack.config.json; the command line comes first.
Exit codes: 0 done, 1 accuracy limit not met, 2 wrong arguments or data, 3 model refused, 70 a bug, 130 interrupted.`;

export function compressCommand(context: CommandContext): Command {
  const command = new Command('compress')
    .description(
      'Optimises, prunes and quantizes an ONNX model for a device, packs it, and reports what that cost and gained.',
    )
    .argument('[model]', 'the .onnx file')
    .addHelpText('after', examples);
  for (const option of optionsFromSchema(compressOptionsSchema, optionHints)) command.addOption(option);
  command.addOption(
    new Option('--config <file>', 'Configuration to start from (default: edgepack.config.json, where there is one)'),
  );
  return withCommonOptions(command).action(async (model: string | undefined, flags: Flags) => {
    const session = new CommandSession(context, flags);
    const { json, quiet, verbose, config: configPath, ...own } = flags;
    const { model: configured, budgets: _, ...config } = await loadConfig(context.process.cwd(), configPath);
    const modelPath = model ?? configured;
    if (modelPath === undefined) {
      throw new EdgepackError('usage', 'compress: no model is given', {
        hint: 'For example: edgepack compress model.onnx --target rpi4',
      });
    }
    const options = checkValue({ ...config, ...own }, compressOptionsSchema, 'usage', 'compress');
    const { report, plan, outputs } = await context.api.compress(session.path(modelPath), withPaths(options, session), {
      logger: session.logger,
      signal: session.signal,
      onSearch: context.onSearch,
      commandLine: session.commandLine,
    });
    if (report === null) {
      session.print(plan ?? { outputs }, () => (plan === null ? '' : renderPlan(plan, session.style)));
      return;
    }
    const page = outputs.find(({ path }) => path.endsWith('report.html'));
    session.print(report, () => `${renderTerminal(report, session.style)}${lookAt(page?.path)}`);
    if (report.accuracy?.limit?.met === false) context.setExitCode(ExitCode.gateFailed);
  });
}

type Flags = CommonOptions & CompressOptions & { readonly config?: string };

/** Where to look next. */
function lookAt(page: string | undefined): string {
  if (page === undefined) return '';
  return `  report     ${printable(page, 300)}\n`;
}

function withPaths(options: CompressOptions, session: CommandSession): CompressOptions {
  const located = { ...options };
  for (const key of ['output', 'data', 'calibration', 'evaluation', 'labels', 'sshConfig', 'cacheFolder'] as const) {
    const value = located[key];
    if (value !== undefined) located[key] = session.path(value);
  }
  for (const key of ['target', 'recipe', 'preprocess'] as const) {
    const value = located[key];
    if (typeof value === 'string' && /\.json$|[/\\]/i.test(value)) located[key] = session.path(value);
  }
  return located;
}

import { Command, Option } from 'commander';
import { type PredictOptions, predictOptionsSchema } from '../../pipeline/predict-options.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { loadConfig } from '../load-config.ts';
import { optionsFromSchema } from '../options-from-schema.ts';
import { renderPrediction } from '../render-prediction.ts';

const examples = `
Examples:
  edgepack predict model.onnx --target rpi4 --engine ncnn
      from rows that others measured on this board: latency, interval, source
  edgepack predict model.onnx --target rpi4
      with ONNX Runtime, told from another engine: the interval is wide and says why
  edgepack predict int8.onnx --target rpi4 --engine ncnn --original-ms 74
      what the int8 model takes, given what the original was measured to take there
  edgepack predict model.onnx --target my-board.json --threads 1 --json

Every figure is predicted, not measured. Nothing is run and nothing is written.
Your own calibrations are read from ~/.config/edgepack/targets/<device>.json and come first.
Exit codes: 0 done, also where nothing supports a number, 2 wrong arguments, 3 model refused, 70 a bug.`;

const hints = {
  target: { short: '-t', value: 'device' },
  provider: { value: 'provider' },
  engine: { value: 'name' },
  threads: { value: 'count' },
  dim: { value: 'name=size' },
  originalMs: { value: 'milliseconds' },
};

type Flags = CommonOptions & PredictOptions & { readonly config?: string };

export function predictCommand(context: CommandContext): Command {
  const command = new Command('predict')
    .description(
      'Tells the latency of a model on a device from measured rows of other networks: an interval, its coverage and its source.',
    )
    .argument('<model>', 'the .onnx, .ort or .epk file')
    .addHelpText('after', examples);
  for (const option of optionsFromSchema(predictOptionsSchema, hints)) command.addOption(option);
  command.addOption(new Option('--config <file>', 'Configuration that names target and threads'));
  return withCommonOptions(command).action(async (model: string, flags: Flags) => {
    const session = new CommandSession(context, flags);
    const { json, quiet, verbose, config: configPath, ...own } = flags;
    const config = await loadConfig(context.process.cwd(), configPath);
    const target = own.target ?? config.target;
    const threads = own.threads ?? config.threads;
    const provider = own.provider ?? config.provider;
    const result = await context.api.predict(session.path(model), {
      ...own,
      ...(target === undefined ? {} : { target: /\.json$|[/\\]/i.test(target) ? session.path(target) : target }),
      ...(threads === undefined ? {} : { threads }),
      ...(provider === undefined ? {} : { provider }),
    });
    session.print(result, () => renderPrediction(result, session.style));
  });
}

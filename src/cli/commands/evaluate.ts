import { Command, Option } from 'commander';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import type { EvaluateOptions } from '../../pipeline/api-types.ts';
import { compressOptionsSchema } from '../../pipeline/compress-options.ts';
import { deviceOptions } from '../../pipeline/device-options.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { loadConfig } from '../load-config.ts';
import { optionsFromSchema } from '../options-from-schema.ts';
import { renderEvaluation } from '../render-evaluation.ts';
import { optionHints } from './compress.ts';

const examples = `
Examples:
  edgepack evaluate model.onnx --data test.npz
  edgepack evaluate out/model.onnx --data photos/ --against model.onnx --target rpi4
      accuracy of both, how often they agree, and the noise between their outputs
  edgepack evaluate out/model.onnx --data photos/ --device ssh://pi@raspberrypi.local
      also on the board, and whether its integers are the same
  edgepack evaluate model.onnx --data d.npz --no-exact
      only as this host's engine computes

Columns: top-1 and top-5 are shares of right answers, with the 95 % interval of top-1. Against another
model, agreement is the share of equal answers, SQNR the power of the outputs over that of their
difference in decibels, cosine their direction (1 is the same), KL the divergence of the
probabilities in nats.`;

type Flags = CommonOptions & Partial<EvaluateOptions> & { readonly config?: string };

export function evaluateCommand(context: CommandContext): Command {
  const shared = compressOptionsSchema
    .pick({
      data: true,
      labels: true,
      preprocess: true,
      target: true,
      allowLinks: true,
      engineMemory: true,
      engineTimeout: true,
      threads: true,
    })
    .extend(deviceOptions);
  const command = new Command('evaluate')
    .description(
      "Runs a model on data: accuracy where there are labels, in the target's integer arithmetic and by this host's engine.",
    )
    .argument('<model>', 'the .onnx, .ort or .epk file')
    .addOption(new Option('--against <model>', 'The model to compare with, often the original'))
    .addHelpText('after', examples);
  for (const option of optionsFromSchema(shared, optionHints)) command.addOption(option);
  command
    .addOption(new Option('--no-exact', "Measure only as this host's engine computes, not in the target's arithmetic"))
    .addOption(new Option('--config <file>', 'Configuration that names data and preprocessing'));
  return withCommonOptions(command).action(async (model: string, flags: Flags) => {
    const session = new CommandSession(context, flags);
    const config = await loadConfig(context.process.cwd(), flags.config);
    const data = flags.data ?? config.evaluation ?? config.data;
    if (data === undefined) {
      throw new EdgepackError('usage', 'evaluate: no data is given', {
        hint: 'Add --data with an image folder, an .npy or an .npz file.',
      });
    }
    const labels = flags.labels ?? config.labels;
    const preprocess = flags.preprocess ?? config.preprocess;
    const threads = flags.threads ?? config.threads;
    const engineMemory = flags.engineMemory ?? config.engineMemory;
    const engineTimeout = flags.engineTimeout ?? config.engineTimeout;
    const options: EvaluateOptions = {
      data: session.path(data),
      ...(labels === undefined ? {} : { labels: session.path(labels) }),
      ...(preprocess === undefined ? {} : { preprocess }),
      ...(flags.against === undefined ? {} : { against: session.path(flags.against) }),
      target: flags.target ?? config.target ?? 'generic-arm64',
      ...(threads === undefined ? {} : { threads }),
      allowLinks: flags.allowLinks ?? config.allowLinks ?? false,
      ...(engineMemory === undefined ? {} : { engineMemory }),
      ...(engineTimeout === undefined ? {} : { engineTimeout }),
      ...(flags.device === undefined ? {} : { device: flags.device }),
      ...(flags.sshConfig === undefined ? {} : { sshConfig: session.path(flags.sshConfig) }),
      exact: flags.exact !== false,
    };
    const evaluation = await context.api.evaluate(session.path(model), options, {
      logger: session.logger,
      signal: session.signal,
    });
    session.print(evaluation, () => renderEvaluation(evaluation, session.style));
  });
}

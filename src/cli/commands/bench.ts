import { Command, Option } from 'commander';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { type BenchOptions, benchOptionsSchema } from '../../pipeline/bench-options.ts';
import { drawsBlocks } from '../cli-process.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { loadConfig } from '../load-config.ts';
import { optionsFromSchema } from '../options-from-schema.ts';
import { renderBench } from '../render-bench.ts';
import { optionHints } from './compress.ts';

const examples = `
Examples:
  edgepack bench model.onnx out/model.onnx --target rpi4
      both in turns; how many times as long the second takes, with an interval
  edgepack bench model.onnx out/model.epk --threads 1,2,4 --data photos/
      on a real sample, with one, two and four threads
  edgepack bench model.onnx --profile --dim sequence=128
      which nodes take the time, and which of them run in int8
  edgepack bench a.onnx b.onnx c.onnx --max-seconds 120 --precision 0.5 --json
  edgepack bench model.onnx out/model.onnx --target rpi4 --device ssh://pi@raspberrypi.local
      on the board itself: copies the models and ONNX Runtime there (kept in ~/.cache/edgepack), runs, cleans up
  edgepack bench --device ssh://pi@raspberrypi.local --clean
      removes what is kept there

Without --device this host is measured, never the target. Models are never changed and nothing is written here.
A device is reached with your OpenSSH client: its host key must be known, and a key or an agent let you in.
Exit codes: 0 done, 2 wrong arguments or data, 3 model refused, 70 a bug, 130 interrupted.`;

const hints = {
  ...optionHints,
  dim: { value: 'name=size' },
  threads: { value: 'counts' },
  maxSeconds: { value: 'seconds' },
  precision: { value: 'percent' },
  rounds: { value: 'count' },
  warmup: { value: 'count' },
};

type Flags = CommonOptions & BenchOptions & { readonly config?: string };

export function benchCommand(context: CommandContext): Command {
  const command = new Command('bench')
    .description(
      'Times one or several models in turns, on this host or on a device over ssh: medians and tails with intervals, the ratio to the first model, memory.',
    )
    .argument('[models...]', '.onnx, .ort or .epk files; the first one is what the others are compared with')
    .addHelpText('after', examples);
  for (const option of optionsFromSchema(benchOptionsSchema, hints)) command.addOption(option);
  command.addOption(new Option('--config <file>', 'Configuration that names target, data and preprocessing'));
  return withCommonOptions(command).action(async (models: string[], flags: Flags) => {
    const session = new CommandSession(context, flags);
    const { json, quiet, verbose, config: configPath, ...own } = flags;
    const config = await loadConfig(context.process.cwd(), configPath);
    // Sizes of made-up inputs are asked for: the data of the configuration is meant for other commands.
    const data = own.data ?? (own.dim === undefined ? (config.evaluation ?? config.data) : undefined);
    const target = own.target ?? config.target;
    const preprocess = own.preprocess ?? config.preprocess;
    const threads = own.threads ?? (config.threads === undefined ? undefined : [config.threads]);
    const { device, clean, sshConfig } = own;
    const running = { logger: session.logger, signal: session.signal, commandLine: session.commandLine };
    const reach = {
      ...(device === undefined ? {} : { device }),
      ...(sshConfig === undefined ? {} : { sshConfig: session.path(sshConfig) }),
    };
    if (models.length === 0 && clean === true && device !== undefined) {
      const isCleaned = await context.api.cleanDeviceCache(reach, running);
      session.print({ device, cleaned: isCleaned }, () => '');
      return;
    }
    if (models.length === 0) {
      throw new EdgepackError('usage', "missing required argument 'models'", {
        hint: 'Give one or several models; without one there is only --device with --clean',
      });
    }
    const result = await context.api.bench(
      models.map((model) => session.path(model)),
      {
        ...own,
        ...reach,
        ...(target === undefined ? {} : { target }),
        ...(data === undefined ? {} : { data: session.path(data) }),
        ...(preprocess === undefined ? {} : { preprocess }),
        ...(threads === undefined ? {} : { threads }),
      },
      running,
    );
    const { stdout, env } = context.process;
    session.print(result, () => renderBench(result, { ...session.style, blocks: drawsBlocks(stdout, env) }));
  });
}

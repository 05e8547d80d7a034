import { Command } from 'commander';
import { type CalibrateOptions, calibrateOptionsSchema } from '../../pipeline/calibrate-options.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { optionsFromSchema } from '../options-from-schema.ts';
import { renderCalibration } from '../render-calibration.ts';

const examples = `
Examples:
  edgepack targets calibrate rpi4 --device ssh://pi@raspberrypi.local
      five reference networks in floats and in int8, some two minutes; "predict" and "compress" use them from then on
  edgepack targets calibrate rpi4 --device ssh://pi@raspberrypi.local --threads 1,4 --board "Pi 4B, 1.8 GHz, fan"
  edgepack targets calibrate rpi4 --device ssh://pi@raspberrypi.local --dry-run
      what would be measured and written
  edgepack targets calibrate generic-x64 --host --output calibration.json --json

Measure on a cool, idle board with its usual power supply: one that was throttled or busy ends the calibration.
What it writes is read from ~/.config/edgepack/targets/<device>.json, or below $XDG_CONFIG_HOME. Threads and precisions that
were calibrated before stay. A device is reached as by "bench --device".
Exit codes: 0 done, 2 wrong arguments, device or board, 70 a bug, 130 interrupted.`;

const hints = {
  device: { value: 'address' },
  sshConfig: { value: 'file' },
  threads: { value: 'counts' },
  precision: { value: 'names' },
  maxSeconds: { value: 'seconds' },
  output: { short: '-o', value: 'file' },
};

export function calibrateCommand(context: CommandContext): Command {
  const command = new Command('calibrate')
    .summary('Measure a board of your own, so that predictions are of it')
    .description(
      'Times reference networks on a board, over ssh or here, and keeps what they tell as your calibration of a device.',
    )
    .argument('<target>', 'the device that the board is, or a JSON file of your own')
    .addHelpText('after', examples);
  for (const option of optionsFromSchema(calibrateOptionsSchema, hints)) command.addOption(option);
  return withCommonOptions(command).action(async (name: string, flags: CommonOptions & CalibrateOptions) => {
    const session = new CommandSession(context, flags);
    const { json, quiet, verbose, ...own } = flags;
    const result = await context.api.calibrate(
      /\.json$|[/\\]/i.test(name) ? session.path(name) : name,
      {
        ...own,
        ...(own.sshConfig === undefined ? {} : { sshConfig: session.path(own.sshConfig) }),
        ...(own.output === undefined ? {} : { output: session.path(own.output) }),
      },
      { logger: session.logger, signal: session.signal },
    );
    session.print(result, () => renderCalibration(result, session.style));
  });
}

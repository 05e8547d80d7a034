import { Command, Option } from 'commander';
import { allowLinksOption } from '../allow-links-option.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { renderInspection } from '../render-inspection.ts';

const examples = `
Examples:
  edgepack inspect model.onnx
  edgepack inspect model.onnx --layers
      every layer instead of the largest
  edgepack inspect model.onnx --target jetson-orin-nano --provider tensorrt
      also which nodes that execution provider runs, and which in int8
  edgepack inspect model.onnx --json
      the same facts for a program`;

export function inspectCommand(context: CommandContext): Command {
  const command = new Command('inspect')
    .description(
      'Shows operators, parameters, multiply-accumulates, bytes by layer and type, what keeps layers from int8, and where int8 can saturate.',
    )
    .argument('<model>', 'the .onnx, .ort or .epk file')
    .addOption(new Option('--layers', 'List every layer'))
    .addOption(new Option('-t, --target <device>', 'Say what this device runs of it: a target or a JSON file'))
    .addOption(
      new Option('--provider <provider>', 'Execution provider of ONNX Runtime there (default: that of the target)'),
    )
    .addOption(allowLinksOption())
    .addHelpText('after', examples);
  return withCommonOptions(command).action(async (model: string, flags: Flags) => {
    const session = new CommandSession(context, flags);
    const { target, provider } = flags;
    const inspection = await context.api.inspect(session.path(model), {
      allowLinks: flags.allowLinks === true,
      ...(target === undefined ? {} : { target: /\.json$|[/\\]/i.test(target) ? session.path(target) : target }),
      ...(provider === undefined ? {} : { provider }),
      logger: session.logger,
      signal: session.signal,
    });
    session.print(inspection, () =>
      renderInspection(inspection, { ...session.style, allLayers: flags.layers === true }),
    );
  });
}

type Flags = CommonOptions & {
  readonly layers?: boolean;
  readonly allowLinks?: boolean;
  readonly target?: string;
  readonly provider?: string;
};

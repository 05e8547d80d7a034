import { Command, Option } from 'commander';
import { allowLinksOption } from '../allow-links-option.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { renderPacked } from '../render-packed.ts';

type Flags = CommonOptions & { readonly output?: string; readonly force?: boolean; readonly allowLinks?: boolean };

export function packCommand(context: CommandContext): Command {
  const command = new Command('pack')
    .summary('Store a model as .epk, without any loss')
    .description(
      'Writes a model as a smaller .epk file. "unpack" gives the same bytes back; that is checked after writing.',
    )
    .argument('<model>', 'the .onnx file')
    .addOption(new Option('-o, --output <file>', 'The file to write (default: the name of the model with .epk)'))
    .addOption(new Option('-f, --force', 'Overwrite an existing file'))
    .addOption(allowLinksOption())
    .addHelpText('after', '\nExample:\n  edgepack pack model.onnx -o model.epk');
  return withCommonOptions(command).action(async (model: string, flags: Flags) => {
    const session = new CommandSession(context, flags);
    const output = flags.output ?? withExtension(model, '.onnx', '.epk');
    const result = await context.api.pack(
      session.path(model),
      session.path(output),
      { force: flags.force === true, allowLinks: flags.allowLinks === true },
      {
        logger: session.logger,
        signal: session.signal,
      },
    );
    session.print(result, () => renderPacked(result, 'pack', session.style));
  });
}

export function unpackCommand(context: CommandContext): Command {
  const command = new Command('unpack')
    .summary('Get the model back out of an .epk')
    .description('Writes the .onnx file an .epk was made from, byte for byte; its SHA-256 is checked.')
    .argument('<file>', 'the .epk file')
    .addOption(new Option('-o, --output <file>', 'The file to write (default: the name of the file with .onnx)'))
    .addOption(new Option('-f, --force', 'Overwrite an existing file'))
    .addHelpText('after', '\nExample:\n  edgepack unpack model.epk -o model.onnx');
  return withCommonOptions(command).action(async (epk: string, flags: Flags) => {
    const session = new CommandSession(context, flags);
    const output = flags.output ?? withExtension(epk, '.epk', '.onnx');
    const result = await context.api.unpack(
      session.path(epk),
      session.path(output),
      { force: flags.force === true },
      {
        logger: session.logger,
        signal: session.signal,
      },
    );
    session.print(result, () => renderPacked(result, 'unpack', session.style));
  });
}

/** The path with another extension; an extension that is not `from` stays. */
function withExtension(path: string, from: string, to: string): string {
  return `${path.toLowerCase().endsWith(from) ? path.slice(0, -from.length) : path}${to}`;
}

import { Command, Option } from 'commander';
import { allowLinksOption } from '../allow-links-option.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { renderPacked, renderPackedTensors, renderUnpackedTensor } from '../render-packed.ts';

type Flags = CommonOptions & { readonly output?: string; readonly force?: boolean; readonly allowLinks?: boolean };

export function packCommand(context: CommandContext): Command {
  const command = new Command('pack')
    .description(
      'Writes a model as a smaller .epk file. "unpack" gives the same bytes back; that is checked after writing.',
    )
    .argument('<model>', 'the .onnx file')
    .addOption(new Option('-o, --output <file>', 'The file to write (default: the name of the model with .epk)'))
    .addOption(new Option('-f, --force', 'Overwrite an existing file'))
    .addOption(allowLinksOption())
    .addHelpText('after', '\nExamples:\n  edgepack pack model.onnx\n  edgepack pack model.onnx -o small.epk --force');
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

type UnpackFlags = Flags & { readonly tensor?: string; readonly list?: boolean };

export function unpackCommand(context: CommandContext): Command {
  const command = new Command('unpack')
    .description(
      'Writes the .onnx file an .epk was made from, byte for byte; its SHA-256 is checked. ' +
        'With --tensor only one tensor is decoded and written.',
    )
    .argument('<file>', 'the .epk file')
    .addOption(
      new Option(
        '-o, --output <file>',
        'The file to write (default: the name of the file with .onnx; of a tensor, .npy)',
      ),
    )
    .addOption(new Option('-f, --force', 'Overwrite an existing file'))
    .addOption(new Option('-t, --tensor <name>', 'Write this tensor only, as .npy or as .bin (elements as they are)'))
    .addOption(
      new Option('-l, --list', 'List the tensors that --tensor can name, and write nothing').conflicts([
        'tensor',
        'output',
      ]),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  edgepack unpack model.epk -o restored/model.onnx --json\n  edgepack unpack model.epk --list\n' +
        '  edgepack unpack model.epk --tensor hidden.weight -o weight.npy',
    );
  return withCommonOptions(command).action(async (epk: string, flags: UnpackFlags) => {
    const session = new CommandSession(context, flags);
    const run = { logger: session.logger, signal: session.signal };
    const path = session.path(epk);
    if (flags.list === true) {
      const tensors = await context.api.listPackedTensors(path, run);
      session.print(tensors, () => renderPackedTensors(tensors));
      return;
    }
    const options = { force: flags.force === true };
    if (flags.tensor !== undefined) {
      const output = session.path(flags.output ?? withExtension(epk, '.epk', '.npy'));
      const result = await context.api.unpackTensor(path, flags.tensor, output, options, run);
      session.print(result, () => renderUnpackedTensor(result, session.style));
      return;
    }
    const output = session.path(flags.output ?? withExtension(epk, '.epk', '.onnx'));
    const result = await context.api.unpack(path, output, options, run);
    session.print(result, () => renderPacked(result, 'unpack', session.style));
  });
}

/** The path with another extension; an extension that is not `from` stays. */
function withExtension(path: string, from: string, to: string): string {
  return `${path.toLowerCase().endsWith(from) ? path.slice(0, -from.length) : path}${to}`;
}

import { Command, Option } from 'commander';
import { printable } from '../../diagnostics/printable.ts';
import { formatBytes } from '../../report/number-format.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';

const examples = `
Examples:
  edgepack report out/report.json
      writes out/report.html again
  edgepack report out/report.json -o reports/mobilenet.html --force
  edgepack report out/report.json --format md -o summary.md`;

type Flags = CommonOptions & { readonly output?: string; readonly format?: 'html' | 'md'; readonly force?: boolean };

export function reportCommand(context: CommandContext): Command {
  const command = new Command('report')
    .description(
      'Writes the page for people that "compress" writes, from a report.json that was kept. Nothing is measured.',
    )
    .argument('<report>', 'the report.json')
    .addOption(
      new Option('-o, --output <file>', 'The file to write (default: report.html or report.md beside the report)'),
    )
    .addOption(
      new Option('--format <format>', 'What to write (default: by the name of the output, else html)').choices([
        'html',
        'md',
      ]),
    )
    .addOption(new Option('-f, --force', 'Overwrite an existing file'))
    .addHelpText('after', examples);
  return withCommonOptions(command).action(async (report: string, { output, format, force, ...flags }: Flags) => {
    const session = new CommandSession(context, flags);
    const written = await context.api.renderReport(session.path(report), {
      ...(output === undefined ? {} : { output: session.path(output) }),
      ...(format === undefined ? {} : { format }),
      force: force === true,
    });
    session.print(
      written,
      () => `${session.style.paint(printable(written.path, 300), 'title')}  ${formatBytes(written.sizeBytes)}\n`,
    );
  });
}

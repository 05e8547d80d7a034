import { Command } from 'commander';
import { ExitCode } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import type { Diagnosis } from '../../pipeline/diagnose.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import type { Style } from '../paint.ts';
import { renderTable } from '../render-table.ts';

const examples = `
Examples:
  edgepack doctor
  edgepack doctor --json
      the same for a program, or for a report of a bug

Exit codes: 0 all is well, 2 something is missing.`;

export function doctorCommand(context: CommandContext): Command {
  const command = new Command('doctor')
    .description(
      'Checks that Node, the inference engine and the image library work here, how this host computes int8, and where the cache goes.',
    )
    .addHelpText('after', examples);
  return withCommonOptions(command).action(async (flags: CommonOptions) => {
    const session = new CommandSession(context, flags);
    const diagnosis = await context.api.diagnose({ cacheFolder: session.path('.edgepack-cache') });
    session.print(diagnosis, () => renderDiagnosis(diagnosis, session.style));
    if (!diagnosis.ok) context.setExitCode(ExitCode.usage);
  });
}

function renderDiagnosis({ version, platform, checks, ok }: Diagnosis, { paint }: Style): string {
  const rows = checks.map((check) => [
    check.name,
    check.ok ? 'ok' : 'problem',
    printable(check.hint === null ? check.detail : `${check.detail}; ${check.hint}`, 400),
  ]);
  const verdict = ok ? paint('All is well.', 'good') : paint('Something is missing: see above.', 'bad');
  return `${paint(`edgepack ${version} on ${platform}`, 'title')}\n\n${renderTable(rows)}\n\n  ${verdict}\n`;
}

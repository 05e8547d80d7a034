import { Command } from 'commander';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { renderTarget, renderTargets } from '../render-target.ts';

const examples = `
Examples:
  edgepack targets
  edgepack targets rpi4
      one device, with the source of every value
  edgepack targets rpi4 --json > my-board.json
      a profile of your own to edit; use it as --target my-board.json`;

export function targetsCommand(context: CommandContext): Command {
  const command = new Command('targets')
    .summary('List the devices edgepack knows, or show one')
    .description('Lists the device profiles, or shows one with the source of every value.')
    .argument('[device]', 'a device, or a JSON file of your own')
    .addHelpText('after', examples);
  return withCommonOptions(command).action(async (name: string | undefined, flags: CommonOptions) => {
    const session = new CommandSession(context, flags);
    if (name === undefined) {
      const all = context.api.listTargets().map((known) => context.api.loadTarget(known));
      session.print(all, () => renderTargets(all, session.style));
      return;
    }
    const target = context.api.loadTarget(/\.json$|[/\\]/i.test(name) ? session.path(name) : name);
    session.print(target, () => renderTarget(target, session.style));
  });
}

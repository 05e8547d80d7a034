import { Command, Option } from 'commander';
import { capabilitiesOf } from '../../targets/choose-provider.ts';
import type { Target } from '../../targets/target-schema.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { renderProviders } from '../render-capabilities.ts';
import { renderTarget, renderTargets } from '../render-target.ts';

const examples = `
Examples:
  edgepack targets
  edgepack targets rpi4
      one device, with the source of every value
  edgepack targets jetson-orin-nano --providers
      what runs in int8 there, in which form, and what the vendors' own compilers need
  edgepack targets rpi4 --json > my-board.json
      a profile of your own to edit; use it as --target my-board.json`;

export function targetsCommand(context: CommandContext): Command {
  const command = new Command('targets')
    .summary('List the devices edgepack knows, or show one')
    .description('Lists the device profiles, or shows one: its processors, and the source of every value.')
    .argument('[device]', 'a device, or a JSON file of your own')
    .addOption(
      new Option('--providers', 'Show the execution providers of the device, or all: what they run, in which form'),
    )
    .addHelpText('after', examples);
  return withCommonOptions(command).action(async (name: string | undefined, flags: Flags) => {
    const session = new CommandSession(context, flags);
    if (flags.providers === true) {
      const target = name === undefined ? undefined : load(name, context, session);
      const found = capabilitiesOf(target);
      session.print(found, () => renderProviders(found.providers, found.toolchains, session.style));
      return;
    }
    if (name === undefined) {
      const all = context.api.listTargets().map((known) => context.api.loadTarget(known));
      session.print(all, () => renderTargets(all, session.style));
      return;
    }
    const target = load(name, context, session);
    session.print(target, () => renderTarget(target, session.style));
  });
}

type Flags = CommonOptions & { readonly providers?: boolean };

function load(name: string, context: CommandContext, session: CommandSession): Target {
  return context.api.loadTarget(/\.json$|[/\\]/i.test(name) ? session.path(name) : name);
}

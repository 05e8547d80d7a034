import { Command, Option } from 'commander';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { calibrationText } from '../../report/calibration-text.ts';
import { capabilitiesOf } from '../../targets/choose-provider.ts';
import type { Target } from '../../targets/target-schema.ts';
import type { CliApi } from '../cli-api.ts';
import { type CommandContext, CommandSession, type CommonOptions, withCommonOptions } from '../command-session.ts';
import { renderProviders } from '../render-capabilities.ts';
import { renderTarget, renderTargets } from '../render-target.ts';
import { calibrateCommand } from './calibrate.ts';

const examples = `
Examples:
  edgepack targets
  edgepack targets rpi4
      one device, with the source of every value
  edgepack targets jetson-orin-nano --providers
      what runs in int8 there, in which form, and what the vendors' own compilers need
  edgepack targets rpi4 --json > my-board.json
      a profile of your own to edit; use it as --target my-board.json

"edgepack targets calibrate --help" tells how a board of your own is measured, so that predictions are of it.`;

export function targetsCommand(context: CommandContext): Command {
  const command = new Command('targets')
    .description('Lists the device profiles, or shows one: its processors, and the source of every value.')
    .argument('[device]', 'a device, or a JSON file of your own')
    .addOption(
      new Option('--providers', 'Show the execution providers of the device, or all: what they run, in which form'),
    )
    // Options after "calibrate" are its own.
    .enablePositionalOptions()
    .addHelpText('after', examples)
    .addCommand(calibrateCommand(context));
  return withCommonOptions(command).action(async (name: string | undefined, flags: Flags) => {
    const session = new CommandSession(context, flags);
    const { api } = context;
    if (flags.providers === true) {
      const target = name === undefined ? undefined : await load(name, api, session);
      const found = capabilitiesOf(target);
      session.print(found, () => renderProviders(found.providers, found.toolchains, session.style));
      return;
    }
    if (name === undefined) {
      const names = await api.listTargets();
      const all = await Promise.all(names.map((known) => api.loadTarget(known)));
      const calibrations = await Promise.all(all.map((target) => calibrationNote(target, api, true)));
      session.print(all, () => renderTargets(all, calibrations, session.style));
      return;
    }
    const target = await load(name, api, session);
    const note = await calibrationNote(target, api, false);
    session.print(target, () => renderTarget(target, note, session.style));
  });
}

type Flags = CommonOptions & { readonly providers?: boolean };

async function load(name: string, api: CliApi, session: CommandSession): Promise<Target> {
  return api.loadTarget(/\.json$|[/\\]/i.test(name) ? session.path(name) : name);
}

/** What is to be said of the user's calibration of a device; a damaged one is no reason not to show the device. */
async function calibrationNote(target: Target, api: CliApi, isShort: boolean): Promise<string | undefined> {
  try {
    const used = await api.describeCalibration(target);
    if (used === undefined) return undefined;
    if (isShort) return calibrationText({ ...used, path: null }).replace('your own calibration', 'calibrated');
    return `${calibrationText(used)}: ${used.settings.join(', ')}`;
  } catch (error) {
    if (!(error instanceof EdgepackError)) throw error;
    return isShort ? 'calibration unreadable' : `a calibration that cannot be used: ${error.message}`;
  }
}

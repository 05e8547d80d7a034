import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { readCheckedJson } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { calibrationSchema, type TargetLatency } from './latency-schema.ts';
import type { Target } from './target-schema.ts';

/** Folder of the user's own calibrations: `$XDG_CONFIG_HOME/edgepack/targets`, by default under `~/.config`. */
export function calibrationFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CONFIG_HOME;
  return join(base === undefined || base === '' ? join(homedir(), '.config') : base, 'edgepack', 'targets');
}

/**
 * Latency models of a device: the user's calibration in front of the built-in ones, which keep answering for engines,
 * precisions and threads that the user did not calibrate.
 * @throws EdgepackError `target` where the calibration breaks the schema or is of another device.
 */
export function loadLatency(target: Target, folder: string = calibrationFolder()): TargetLatency | undefined {
  const path = join(folder, `${target.name}.json`);
  if (!existsSync(path)) return target.latency;
  const { profiles, target: name } = readCheckedJson(path, calibrationSchema, 'target', 'calibration');
  if (name !== target.name) {
    throw new EdgepackError(
      'target',
      `calibration ${printable(path)} is of ${printable(name)}, not of ${target.name}`,
      {
        hint: 'Rename it to the device it was measured on, or delete it.',
        location: { file: path, key: 'target' },
      },
    );
  }
  return {
    profiles: [...profiles, ...(target.latency?.profiles ?? [])],
    transfers: target.latency?.transfers ?? [],
  };
}

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { readCheckedJson } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { type Calibration, calibrationSchema, type TargetLatency } from './latency-schema.ts';
import type { Target } from './target-schema.ts';

/** Latency models of a device, and the file of those among them that the user calibrated. */
export type LoadedLatency = TargetLatency & { readonly calibrationPath?: string };

/**
 * Folder of the user's own calibrations: `$XDG_CONFIG_HOME/edgepack/targets`, by default under `~/.config`. A relative path
 * in the variable does not count, as the specification of these folders has it.
 */
export function calibrationFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CONFIG_HOME ?? '';
  return join(isAbsolute(base) ? base : join(homedir(), '.config'), 'edgepack', 'targets');
}

/** Where the user's calibration of a device is kept. */
export function calibrationPath({ name }: Pick<Target, 'name'>, folder: string = calibrationFolder()): string {
  return join(folder, `${name}.json`);
}

/**
 * The user's calibration of a device; undefined where there is none.
 * @throws EdgepackError `target` where the file breaks the schema or is of another device, `file-not-found` where it cannot be
 * read.
 */
export function readCalibration(
  target: Pick<Target, 'name'>,
  path: string = calibrationPath(target),
): Calibration | undefined {
  if (!existsSync(path)) return undefined;
  const calibration = readCheckedJson(path, calibrationSchema, 'target', 'calibration');
  if (calibration.target === target.name) return calibration;
  throw new EdgepackError(
    'target',
    `calibration ${printable(path)} is of ${printable(calibration.target)}, not of ${target.name}`,
    {
      hint: 'Rename it to the device it was measured on, or delete it.',
      location: { file: path, key: 'target' },
    },
  );
}

/**
 * Latency models of a device: the user's calibration in front of the built-in ones, which keep answering for engines,
 * precisions and threads that the user did not calibrate.
 * @throws EdgepackError as {@link readCalibration} does.
 */
export function loadLatency(target: Target, folder: string = calibrationFolder()): LoadedLatency | undefined {
  const path = calibrationPath(target, folder);
  const calibration = readCalibration(target, path);
  if (calibration === undefined) return target.latency;
  return {
    profiles: [...calibration.profiles, ...(target.latency?.profiles ?? [])],
    transfers: target.latency?.transfers ?? [],
    calibrationPath: path,
  };
}

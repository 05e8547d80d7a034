import { existsSync } from 'node:fs';
import { connectDevice } from '../device/connect-device.ts';
import { parseDeviceAddress } from '../device/device-address.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { silentLogger } from '../diagnostics/logger.ts';
import { checkValue } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { calibrateTarget, mergeCalibrations } from '../latency/calibrate-target.ts';
import type { CalibrationResult } from '../report/calibration-result-schema.ts';
import { localMachine } from '../runtime/local-machine.ts';
import type { Machine } from '../runtime/machine.ts';
import { TemporaryFolder } from '../storage/temporary-folder.ts';
import type { Calibration } from '../targets/latency-schema.ts';
import { calibrationPath, readCalibration } from '../targets/load-latency.ts';
import { loadTarget } from '../targets/load-target.ts';
import type { Target } from '../targets/target-schema.ts';
import type { RunContext } from './api-types.ts';
import {
  type CalibratedPrecision,
  type CalibrateOptions,
  calibrateOptionsSchema,
  type ResolvedCalibrateOptions,
} from './calibrate-options.ts';
import { otherBoards, unlikeTarget } from './calibration-obstacles.ts';
import { measuredSettings, medianError } from './calibration-settings.ts';
import { engineThreads } from './engine-threads.ts';
import { measureReferences } from './measure-references.ts';
import { packageVersion } from './package-version.ts';
import { type NetworkSource, referenceNetworks, writeReferenceModels } from './reference-models.ts';
import { writeCalibration } from './write-calibration.ts';

/**
 * Measures the reference networks on a device, in floats and in int8, and keeps what they tell of its speed as the user's
 * calibration of a target: `predict` and `compress` use it from then on.
 *
 * @example
 * await calibrate('rpi4', { device: 'ssh://pi@raspberrypi.local' });
 * @throws EdgepackError for wrong options, devices that cannot be measured on (`device-unreachable` and others),
 * `device-disturbed` where the board was throttled or busy, `device-unsuitable` where it is not what the target describes, and
 * `output-exists` where a calibration of another board would be lost: the last three not with `force`.
 */
export async function calibrate(
  targetName: string,
  options: CalibrateOptions,
  context: RunContext = {},
): Promise<CalibrationResult> {
  const resolved = checkValue(options, calibrateOptionsSchema, 'usage', 'calibrate');
  const { logger = silentLogger, signal } = context;
  const { device, sshConfig, host } = resolved;
  if ((device === undefined) !== host) {
    const message = host ? '--device and --host exclude each other' : 'no device to measure is given';
    throw new EdgepackError('usage', message, {
      hint: 'Give --device ssh://user@host, or --host to calibrate with this very machine',
    });
  }
  if (host && sshConfig !== undefined) {
    throw new EdgepackError('usage', '--ssh-config is about a device, and --host measures here', {
      hint: 'Leave out one of both',
    });
  }
  const target = loadTarget(targetName);
  const inTheWay = earlierCalibration(target, resolved);
  if (device !== undefined) parseDeviceAddress(device);
  if (resolved.dryRun) return planOf(target, resolved);
  if (inTheWay.problem !== undefined && !resolved.force) throw inTheWay.problem;
  if (device === undefined) return calibrateOn(localMachine(logger), target, resolved, context);
  const machine = await connectDevice({ device, sshConfig, logger, signal });
  try {
    return await calibrateOn(machine, target, resolved, context);
  } finally {
    await machine.close();
  }
}

/** Calibrates with a machine that is there, as {@link calibrate} does. */
export async function calibrateOn(
  machine: Machine,
  target: Target,
  options: ResolvedCalibrateOptions,
  { logger = silentLogger, signal }: RunContext = {},
  networks: readonly NetworkSource[] = referenceNetworks,
): Promise<CalibrationResult> {
  const { description } = machine;
  const { force } = options;
  const where = machine.address === undefined ? 'this host' : printable(machine.address, 100);
  const board = options.board ?? description.cpuName.slice(0, 80);
  const threads = threadsOf(options) ?? [engineThreads(undefined, target, description)];
  const precisions = precisionsOf(options);
  const path = options.output ?? calibrationPath(target);
  const inSpiteOf: string[] = [];
  const obstacle = (error: EdgepackError) => {
    if (!force) throw error;
    inSpiteOf.push(error.message);
    logger.warn(`${error.message}; calibrating in spite of that`);
  };
  for (const reason of unlikeTarget(description, target, threads)) {
    const message = `${where} (${printable(description.cpuName, 80)}) is not a ${target.displayName}: ${reason}`;
    obstacle(
      new EdgepackError('device-unsuitable', message, {
        hint: 'Name another target or other --threads, or --force it',
      }),
    );
  }
  const lost = otherBoards(earlierCalibration(target, options).calibration, board);
  if (lost.length > 0 && !force) {
    const message = `the calibration there is of another board (${printable(lost.join(', '), 200)}), this one is ${printable(board, 80)}`;
    throw new EdgepackError('output-exists', message, {
      hint: 'Name the same --board where it is the same, write to another --output, or replace it with --force',
      location: { file: path },
    });
  }
  const measuredAt = new Date().toISOString();
  const folder = new TemporaryFolder();
  try {
    const models = await writeReferenceModels(networks, precisions, target, folder.path, { logger, signal });
    const results = await measureReferences(machine, models, {
      options: { threads: [...threads], maxSeconds: options.maxSeconds },
      onDisturbance: (name, reason) => {
        const message = `${where}, while ${name} ran: ${reason}`;
        const hint =
          'Let it cool down, see to power and other programs, and repeat; --force takes the figures as they are';
        obstacle(new EdgepackError('device-disturbed', message, { hint }));
      },
      logger,
      signal,
    });
    const measured = measuredSettings(results, { precisions, threads, board, measuredAt, inSpiteOf, where });
    const fresh = calibrateTarget(target, measured);
    // Read again: another run may have finished meanwhile.
    const merged = mergeCalibrations(fresh, earlierCalibration(target, options).calibration);
    signal?.throwIfAborted();
    writeCalibration(path, merged);
    const { source, versions } = results[0]!.result;
    return {
      ...planOf(target, options),
      source: {
        kind: source.kind,
        address: source.address,
        board,
        cpu: source.cpu,
        architecture: source.architecture,
        platform: source.platform,
        logicalCores: source.logicalCores,
        memoryBytes: source.memoryBytes,
        governor: source.governor,
        maxFrequencyMhz: source.maxFrequencyMhz,
        engine: { name: 'onnxruntime', version: versions.onnxruntime },
        measuredAt,
      },
      networks: models.map(({ name }) => name),
      threads: [...threads],
      rows: results.flatMap(({ rows }) => rows),
      fits: fresh.profiles.map((profile, i) => ({
        precision: measured[i]!.setting.precision as CalibratedPrecision,
        threads: profile.threads,
        medianError: medianError(profile, measured[i]!.measurements),
        lowRatio: profile.band.lowRatio,
        highRatio: profile.band.highRatio,
      })),
      inSpiteOf,
      warnings: uniqueWarnings(results.flatMap(({ result }) => result.warnings)),
      file: {
        path,
        isWritten: true,
        isUsed: path === calibrationPath(target),
        keptProfiles: merged.profiles.length - fresh.profiles.length,
      },
    };
  } finally {
    folder.remove();
  }
}

function planOf(target: Target, options: ResolvedCalibrateOptions): CalibrationResult {
  const path = options.output ?? calibrationPath(target);
  return {
    calibrateVersion: 1,
    tool: { name: 'edgepack', version: packageVersion },
    target: { name: target.name, displayName: target.displayName },
    source: null,
    networks: referenceNetworks.map(({ name }) => name),
    precisions: [...precisionsOf(options)],
    threads: [...(threadsOf(options) ?? [target.threads])],
    maxSeconds: options.maxSeconds * referenceNetworks.length,
    rows: [],
    fits: [],
    inSpiteOf: [],
    warnings: [],
    file: { path, isWritten: false, isUsed: path === calibrationPath(target), keptProfiles: 0 },
  };
}

/** The calibration that would be added to, or what lies in its place and is none. */
function earlierCalibration(
  target: Target,
  { output }: ResolvedCalibrateOptions,
): { readonly calibration?: Calibration | undefined; readonly problem?: EdgepackError } {
  const path = output ?? calibrationPath(target);
  if (!existsSync(path)) return {};
  try {
    return { calibration: readCalibration(target, path) };
  } catch (error) {
    if (!(error instanceof EdgepackError)) throw error;
    const message = `what lies there is no calibration of ${target.name} that could be added to: ${error.message}`;
    const problem = new EdgepackError('output-exists', message, {
      hint: 'Write to another --output, delete it, or replace it with --force',
      location: { file: path },
      cause: error,
    });
    return { problem };
  }
}

function threadsOf({ threads }: ResolvedCalibrateOptions): readonly number[] | undefined {
  if (threads === undefined) return undefined;
  return [...new Set(typeof threads === 'string' ? threads.split(',').map(Number) : threads)];
}

function precisionsOf({ precision }: ResolvedCalibrateOptions): readonly CalibratedPrecision[] {
  const list = typeof precision === 'string' ? (precision.split(',') as CalibratedPrecision[]) : precision;
  return [...new Set(list)];
}

function uniqueWarnings(warnings: CalibrationResult['warnings']): CalibrationResult['warnings'] {
  const seen = new Set<string>();
  return warnings.filter(({ message }) => !seen.has(message) && seen.add(message));
}

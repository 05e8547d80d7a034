import type { Calibration, LatencyProfile } from '../targets/latency-schema.ts';
import { loadTarget } from '../targets/load-target.ts';
import type { Target } from '../targets/target-schema.ts';
import { type CalibratedSetting, calibrateProfile, type NetworkMeasurement } from './calibrate-profile.ts';
import { calibrateTwin } from './calibrate-twin.ts';

/** Whose shape is taken for a device without rows of its own: a board that computes in fp32, as ONNX Runtime does. */
const STAND_IN = 'rpi4';

/** Networks as they ran with one engine, precision and number of threads. */
export interface MeasuredSetting {
  readonly setting: CalibratedSetting;
  readonly measurements: readonly NetworkMeasurement[];
}

/**
 * A calibration of a device from networks measured there; it is kept as `<target>.json` in the user's folder of
 * calibrations. The prior is a profile of the device itself where there is one. Where the same networks ran in floats and in
 * int8, the int8 profile also tells a twin from its original.
 * @throws RangeError without measurements
 */
export function calibrateTarget(target: Target, measured: readonly MeasuredSetting[]): Calibration {
  const priorFor = (setting: CalibratedSetting) =>
    priorOf(target.latency?.profiles ?? [], setting) ?? priorOf(loadTarget(STAND_IN).latency!.profiles, setting)!;
  const calibrated = measured.map((entry) => {
    const prior = priorFor(entry.setting);
    return { ...entry, prior, profile: calibrateProfile(prior, entry.measurements, entry.setting) };
  });
  const profiles = calibrated.map(({ profile, prior, setting, measurements }) => {
    const float = calibrated.find(
      (other) => other.setting.precision !== 'int8' && other.setting.threads === setting.threads,
    );
    if (setting.precision !== 'int8' || float === undefined || prior.int8Twin === undefined) return profile;
    const pair = { float: float.profile, int8: profile };
    return { ...profile, int8Twin: calibrateTwin(prior.int8Twin, pair, measurements, float.measurements) };
  });
  return { calibrationVersion: 1, target: target.name, profiles };
}

/**
 * A calibration with the profiles of an earlier one that the new one does not replace: other threads, precisions and engines.
 * Profiles of another board do not stay.
 */
export function mergeCalibrations(fresh: Calibration, earlier: Calibration | undefined): Calibration {
  const kept = (earlier?.profiles ?? []).filter(
    (profile) =>
      fresh.profiles.some(({ board }) => board === profile.board) &&
      !fresh.profiles.some(
        ({ engine, precision, threads, cores }) =>
          engine === profile.engine &&
          precision === profile.precision &&
          threads === profile.threads &&
          cores === profile.cores,
      ),
  );
  return { ...fresh, profiles: [...fresh.profiles, ...kept] };
}

/** The nearest one: integers or floats alike, then the same engine, the same precision, the nearest number of threads. */
function priorOf(profiles: readonly LatencyProfile[], setting: CalibratedSetting): LatencyProfile | undefined {
  const distance = (profile: LatencyProfile) =>
    (profile.engine === setting.engine ? 0 : 100) +
    (profile.precision === setting.precision ? 0 : 10) +
    Math.abs(Math.log2(profile.threads / setting.threads));
  return profiles
    .filter(({ precision }) => (precision === 'int8') === (setting.precision === 'int8'))
    .sort((a, b) => distance(a) - distance(b))[0];
}

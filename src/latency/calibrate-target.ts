import type { Calibration, LatencyProfile } from '../targets/latency-schema.ts';
import { loadTarget } from '../targets/load-target.ts';
import type { Target } from '../targets/target-schema.ts';
import { type CalibratedSetting, calibrateProfile, type NetworkMeasurement } from './calibrate-profile.ts';

/** Whose shape is taken for a device without rows of its own: a board that computes in fp32, as ONNX Runtime does. */
const STAND_IN = 'rpi4';

/**
 * A calibration of a device from networks measured there; it is kept as `<target>.json` in the user's folder of
 * calibrations. The prior is a profile of the device itself where there is one.
 * @throws RangeError without measurements
 */
export function calibrateTarget(
  target: Target,
  measurements: readonly NetworkMeasurement[],
  setting: CalibratedSetting,
): Calibration {
  const prior =
    priorOf(target.latency?.profiles ?? [], setting) ?? priorOf(loadTarget(STAND_IN).latency!.profiles, setting)!;
  return {
    calibrationVersion: 1,
    target: target.name,
    profiles: [calibrateProfile(prior, measurements, setting)],
  };
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

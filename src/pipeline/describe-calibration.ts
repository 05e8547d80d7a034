import type { Prediction } from '../report/prediction-schema.ts';
import { calibrationPath, readCalibration } from '../targets/load-latency.ts';
import type { Target } from '../targets/target-schema.ts';
import { calibrationRecord } from './predict.ts';

/** The user's calibration of a device, as far as it is told of. */
export type CalibrationDescription = NonNullable<NonNullable<Prediction['prediction']>['calibration']> & {
  /** "onnxruntime 1.30.0 int8, 4 threads", for each profile. */
  readonly settings: readonly string[];
};

/**
 * Where the user's calibration of a device lies, how old its oldest part is, and what was calibrated; undefined where there is
 * none.
 * @throws EdgepackError `target` where the file breaks the schema or is of another device, `file-not-found` where it cannot be
 * read.
 */
export function describeCalibration(target: Pick<Target, 'name'>): CalibrationDescription | undefined {
  const path = calibrationPath(target);
  const calibration = readCalibration(target, path);
  if (calibration === undefined) return undefined;
  const moments = calibration.profiles.flatMap(({ measured }) => measured?.at ?? []).sort();
  return {
    ...calibrationRecord({ path, measuredAt: moments[0] ?? null }),
    settings: calibration.profiles.map(({ engine, engineVersion, precision, threads }) =>
      [engine, engineVersion ?? '', precision, `${threads} ${threads === 1 ? 'thread' : 'threads'}`]
        .filter((part) => part !== '')
        .join(' '),
    ),
  };
}

import { printable } from '../diagnostics/printable.ts';
import type { Prediction } from './prediction-schema.ts';

type UsedCalibration = NonNullable<NonNullable<Prediction['prediction']>['calibration']>;

/** "your own calibration, 3 days old (~/.config/edgepack/targets/rpi4.json)". */
export function calibrationText({ path, ageDays }: UsedCalibration): string {
  const age = ageDays === null ? 'of unknown age' : formatAge(ageDays);
  return `your own calibration, ${age}${path === null ? '' : ` (${printable(path, 300)})`}`;
}

/** "less than a day old", "1 day old", "40 days old". */
export function formatAge(days: number): string {
  const whole = Math.floor(days);
  if (whole < 1) return 'less than a day old';
  return whole === 1 ? '1 day old' : `${whole} days old`;
}

import type { BenchMeasurement, BenchResult } from '../report/bench-schema.ts';
import { formatPercent } from '../report/number-format.ts';
import { plural } from '../report/report-findings.ts';
import type { Machine } from '../runtime/machine.ts';
import type { Calibration } from '../targets/latency-schema.ts';
import type { Target } from '../targets/target-schema.ts';
import { measurementWarnings } from './bench-warnings.ts';
import { otherArchitecture } from './other-device.ts';

/** Why a machine is not what the target describes; empty where it may be. */
export function unlikeTarget(
  { architecture, logicalCores }: Pick<Machine['description'], 'architecture' | 'logicalCores'>,
  target: Target,
  threads: readonly number[],
): readonly string[] {
  const other = otherArchitecture({ architecture }, target);
  const found = other === undefined ? [] : [other];
  const { core, cores } = target.cpu;
  if (core !== null && logicalCores < cores) {
    found.push(`it has ${logicalCores} of the ${cores} cores of ${target.displayName}`);
  }
  const most = Math.max(...threads);
  if (most > logicalCores) found.push(`${most} threads are more than its ${logicalCores} cores`);
  return found;
}

/** What of a measurement makes its figures those of another board, hot, starved or shared; empty where it is sound. */
export function disturbances({ measurements, source }: BenchResult): readonly string[] {
  return measurements.flatMap((measurement) => {
    const { load, threads } = measurement;
    const { otherBusyCores, loadAverage, stealShare, throttling } = load;
    const codes = new Set(measurementWarnings(measurement, source.logicalCores).map(({ code }) => code));
    const found: string[] = [];
    if (codes.has('throttled')) found.push(`the board slowed down (${throttling!.during.join(', ')})`);
    if (codes.has('load')) {
      found.push(
        otherBusyCores === null
          ? `the load average of ${source.logicalCores} cores was ${loadAverage!.toFixed(1)}`
          : `other programs kept ${otherBusyCores.toFixed(1)} of ${source.logicalCores} cores busy`,
      );
    }
    if (codes.has('steal')) found.push(`${formatPercent(stealShare!)} of the processor time went to other guests`);
    if (found.length === 0) return [];
    const state = stateText(measurement);
    return [`${found.join(' and ')}, with ${plural(threads, 'thread')}${state === '' ? '' : ` (${state})`}`];
  });
}

function stateText({ load }: BenchMeasurement): string {
  const { temperatureC, frequencyMhz, loadAverage } = load;
  const span = (before: number | null, after: number | null, unit: string) =>
    after === null ? [] : [`${before === null ? '' : `${Math.round(before)} to `}${Math.round(after)} ${unit}`];
  return [
    ...span(temperatureC.before, temperatureC.after, '°C'),
    ...span(frequencyMhz.before, frequencyMhz.after, 'MHz'),
    ...(loadAverage === null ? [] : [`load average ${loadAverage.toFixed(2)}`]),
  ].join(', ');
}

/** The boards of an earlier calibration that would be lost to the new one. */
export function otherBoards(earlier: Calibration | undefined, board: string): readonly string[] {
  return [...new Set((earlier?.profiles ?? []).map((profile) => profile.board))].filter((other) => other !== board);
}

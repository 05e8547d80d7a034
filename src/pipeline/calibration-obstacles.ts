import { printable } from '../diagnostics/printable.ts';
import type { BenchMeasurement, BenchResult } from '../report/bench-schema.ts';
import type { Machine } from '../runtime/machine.ts';
import type { Calibration } from '../targets/latency-schema.ts';
import type { Target } from '../targets/target-schema.ts';

/** Warnings of a measurement that make its figures those of another board: one that is hot, starved or shared. */
const DISTURBING = new Set(['throttled', 'load', 'steal', 'threads-exceed-cores']);

/** Why a machine is not what the target describes; empty where it may be. */
export function unlikeTarget(
  { architecture, logicalCores }: Pick<Machine['description'], 'architecture' | 'logicalCores'>,
  target: Target,
  threads: readonly number[],
): readonly string[] {
  const found: string[] = [];
  if (architecture !== target.architecture) {
    found.push(`it runs ${printable(architecture, 20)} code, and ${target.displayName} ${target.architecture}`);
  }
  const { core, cores } = target.cpu;
  if (core !== null && logicalCores < cores) {
    found.push(`it has ${logicalCores} of the ${cores} cores of ${target.displayName}`);
  }
  const most = Math.max(...threads);
  if (most > logicalCores) found.push(`${most} threads are more than its ${logicalCores} cores`);
  return found;
}

/** What of a measurement makes it useless for a calibration, with the figures; empty where it is sound. */
export function disturbances(result: BenchResult): readonly string[] {
  const found = result.warnings.filter(({ code }) => DISTURBING.has(code)).map(({ message }) => message);
  if (found.length === 0) return [];
  const states = result.measurements.map(stateText).filter((text) => text !== '');
  return states.length === 0 ? found : [...found.slice(0, -1), `${found.at(-1)} (${states.join('; ')})`];
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

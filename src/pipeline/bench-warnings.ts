import { printable } from '../diagnostics/printable.ts';
import type { BenchMeasurement, BenchResult } from '../report/bench-schema.ts';
import { formatPercent } from '../report/number-format.ts';
import type { ThrottlingCause } from '../runtime/board-state.ts';

type Warning = BenchResult['warnings'][number];

/** Medians of rounds that vary more than this are not those of a quiet host. */
const NOISY_VARIATION = 0.1;
const NOTEWORTHY_DRIFT = 0.05;
/** Share of the cores that others may use. */
const BUSY_SHARE = 0.1;
const NOTEWORTHY_STEAL = 0.02;
/** Intervals of fewer rounds are coarse. */
const FEW_ROUNDS = 10;

const causeTexts: Readonly<Record<ThrottlingCause, string>> = {
  'under-voltage': 'the supply voltage was too low',
  'frequency-capped': 'its frequency was capped',
  throttled: 'it was throttled',
  'soft-temperature-limit': 'it reached its soft temperature limit',
};

/** What should be known before the figures of one measurement are believed. */
export function measurementWarnings(measurement: BenchMeasurement, logicalCores: number): Warning[] {
  const { load, models, rounds, threads } = measurement;
  const warnings: Warning[] = [];
  const where = `with ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const warn = (code: string, message: string) => warnings.push({ code, message: `${where}: ${message}` });
  if (threads > logicalCores) {
    warn('threads-exceed-cores', `more threads than there are cores (${logicalCores}): they wait for each other`);
  }
  if (load.otherBusyCores !== null) {
    if (load.otherBusyCores > BUSY_SHARE * logicalCores) {
      const cores = `${load.otherBusyCores.toFixed(1)} of ${logicalCores} cores`;
      warn('load', `other programs kept ${cores} busy: expect slower and more scattered times than on a quiet host`);
    }
  } else if (load.loadAverage !== null && load.loadAverage > BUSY_SHARE * logicalCores) {
    warn('load', `the load average was ${load.loadAverage.toFixed(2)} before the first round: close other programs`);
  }
  if (load.stealShare !== null && load.stealShare > NOTEWORTHY_STEAL) {
    warn(
      'steal',
      `${formatPercent(load.stealShare)} of the processor time went to other guests of this virtual machine's host`,
    );
  }
  if (load.throttling !== null && load.throttling.during.length > 0) {
    const causes = load.throttling.during.map((cause) => causeTexts[cause]).join(', ');
    warn(
      'throttled',
      `the board slowed down (${causes}): these are not its figures; see to power and cooling, and measure again`,
    );
  }
  const remedy =
    models.length > 1 ? 'compare by the ratio, which cancels shared noise' : 'measure again on a quiet host';
  for (const { label, roundVariation, drift } of models) {
    const name = printable(label, 60);
    if (roundVariation > NOISY_VARIATION) {
      warn('noisy', `${name}: medians of rounds vary by ${formatPercent(roundVariation, 0)}; ${remedy}`);
    }
    if (rounds >= 6 && Math.abs(drift - 1) > NOTEWORTHY_DRIFT) {
      const direction = drift > 1 ? 'slower' : 'faster';
      warn(
        'drift',
        `${name}: the last rounds were ${formatPercent(Math.abs(drift - 1), 0)} ${direction} than the first (load, temperature or frequency changed)`,
      );
    }
  }
  if (rounds < FEW_ROUNDS) {
    warn(
      'few-rounds',
      `only ${rounds} ${rounds === 1 ? 'round' : 'rounds'}: the intervals are coarse; raise --max-seconds or --rounds`,
    );
  }
  return warnings;
}

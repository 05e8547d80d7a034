import type { Residual } from './cross-validate.ts';

export interface Band {
  /** Measured over predicted latency at the ends of the band. */
  readonly lowRatio: number;
  readonly highRatio: number;
}

/** What a band promises. */
export const COVERAGE = 0.9;
/** Rows left out on each side: a little less than 5 %, since a profile is used for networks less alike than these. */
const TAIL = 0.03;
/** Rows that the spread of all boards of a precision counts for in the spread of one. */
const POOL_ROWS = 10;

/** Lopsided bands of each run, from left-out residuals: quantiles over all runs, scaled by the run's own spread. */
export function errorBands(residuals: readonly Residual[]): ReadonlyMap<string, Band> {
  const pooled = meanSquare(residuals);
  const spreads = new Map<string, number>();
  for (const key of new Set(residuals.map((residual) => residual.key))) {
    const own = residuals.filter((residual) => residual.key === key);
    const square = (POOL_ROWS * pooled + own.length * meanSquare(own)) / (POOL_ROWS + own.length);
    spreads.set(key, Math.sqrt(square));
  }
  const scaled = residuals.map(({ key, log }) => log / spreads.get(key)!);
  const widen = fewNetworksFactor(new Set(residuals.map((residual) => residual.network)).size);
  const low = widen * quantile(scaled, TAIL);
  const high = widen * quantile(scaled, 1 - TAIL);
  return new Map(
    [...spreads].map(([key, spread]) => [
      key,
      { lowRatio: Math.exp(low * spread), highRatio: Math.exp(high * spread) },
    ]),
  );
}

/**
 * Rows of one network on many boards are wrong together, so a quantile is known no better than that many networks tell it:
 * Student's t for a new one of n over the normal quantile, at 95 % on one side.
 */
function fewNetworksFactor(networks: number): number {
  const degrees = Math.max(1, networks - 1);
  const normal = 1.6449;
  // Hill's expansion of the quantile of t (1970), to third order.
  const z2 = normal ** 2;
  const t =
    normal *
    (1 +
      (z2 + 1) / (4 * degrees) +
      (5 * z2 ** 2 + 16 * z2 + 3) / (96 * degrees ** 2) +
      (3 * z2 ** 3 + 19 * z2 ** 2 + 17 * z2 - 15) / (384 * degrees ** 3));
  return (t / normal) * Math.sqrt(1 + 1 / networks);
}

/** Rows inside bands that were made without their network, by run. */
export function bandCoverage(residuals: readonly Residual[]): ReadonlyMap<string, { covered: number; rows: number }> {
  const counts = new Map<string, { covered: number; rows: number }>();
  for (const network of new Set(residuals.map((residual) => residual.network))) {
    const bands = errorBands(residuals.filter((residual) => residual.network !== network));
    for (const { key, log } of residuals.filter((residual) => residual.network === network)) {
      const { lowRatio, highRatio } = bands.get(key)!;
      const count = counts.get(key) ?? { covered: 0, rows: 0 };
      count.rows += 1;
      if (log >= Math.log(lowRatio) && log <= Math.log(highRatio)) count.covered += 1;
      counts.set(key, count);
    }
  }
  return counts;
}

export interface ErrorSummary {
  readonly rows: number;
  /** Of |predicted - measured| / measured. */
  readonly medianError: number;
  readonly within10: number;
  readonly within20: number;
  readonly p90Error: number;
}

export function errorSummary(residuals: readonly Residual[]): ErrorSummary {
  const errors = residuals.map(({ log }) => Math.abs(Math.exp(-log) - 1));
  const within = (limit: number) => errors.filter((error) => error <= limit).length / errors.length;
  return {
    rows: errors.length,
    medianError: quantile(errors, 0.5),
    within10: within(0.1),
    within20: within(0.2),
    p90Error: quantile(errors, 0.9),
  };
}

function meanSquare(residuals: readonly Residual[]): number {
  return residuals.reduce((sum, { log }) => sum + log * log, 0) / Math.max(1, residuals.length);
}

/** Linear interpolation between order statistics. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below]! + (at - below) * (sorted[Math.min(below + 1, sorted.length - 1)]! - sorted[below]!);
}

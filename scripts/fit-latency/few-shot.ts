import { calibrateProfile } from '../../src/latency/calibrate-profile.ts';
import { logPredict } from '../../src/latency/fit-coefficients.ts';
import { costFeatures } from '../../src/targets/cost-features.ts';
import type { LatencyProfile } from '../../src/targets/latency-schema.ts';
import { priorWeights, type Residual } from './cross-validate.ts';
import { fitDeviceFamily } from './fit-device-family.ts';
import { type Network, OUTSIDE, type Run } from './shared-rows.ts';

const DRAWS = 8;

/**
 * Calibrates each board from k of its networks, with a prior from boards of other names that never saw the networks it is
 * judged on, and predicts those. `priorPrecision` 'other' takes the prior from the other arithmetic, as a new engine would.
 */
export function simulateCalibration(
  floats: readonly Run[],
  networks: ReadonlyMap<string, Network>,
  k: number,
  priorPrecision: 'same' | 'other' = 'same',
): Residual[] {
  const residuals: Residual[] = [];
  let seed = 1;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  for (const run of floats) {
    const rows = run.rows.filter(({ network }) => network !== OUTSIDE);
    const others = floats.filter(
      (other) =>
        other.device !== run.device &&
        other.threads > 1 === run.threads > 1 &&
        (other.precision === run.precision) === (priorPrecision === 'same'),
    );
    for (let draw = 0; draw < DRAWS; draw++) {
      const order = [...rows].sort(() => random() - 0.5);
      const [measured, judged] = [order.slice(0, k), order.slice(k, k + 5)];
      const hidden = new Set(judged.map(({ network }) => network));
      const devices = others.map((other) => {
        const seen = other.rows.filter(({ network }) => network !== OUTSIDE && !hidden.has(network));
        return {
          key: other.key,
          rows: seen.map(({ network }) => networks.get(network)!.features),
          logLatency: seen.map(({ latencyMs }) => Math.log(latencyMs)),
        };
      });
      const { logMean } = fitDeviceFamily(devices, { priorWeight: priorWeights.fp32 });
      const profile = calibrateProfile(
        priorOf(logMean, run),
        measured.map(({ network, latencyMs }) => ({ features: toRecord(networks.get(network)!.features), latencyMs })),
        { ...priorOf(logMean, run), source: 'simulated' },
      );
      const log = costFeatures.map((name) => Math.log(profile.coefficientsMs[name]!));
      for (const { network, latencyMs } of judged) {
        residuals.push({
          key: run.key,
          network,
          log: Math.log(latencyMs) - logPredict(networks.get(network)!.features, log),
        });
      }
    }
  }
  return residuals;
}

function priorOf(logMean: readonly number[], run: Run): LatencyProfile {
  return {
    engine: 'ncnn',
    engineVersion: run.version,
    precision: run.precision,
    threads: run.threads,
    cores: run.cores,
    osBits: 64,
    board: run.device,
    origin: 'published',
    coefficientsMs: toRecord(logMean.map(Math.exp)) as LatencyProfile['coefficientsMs'],
    range: { latencyMs: { min: 1, max: 1 }, features: {} as LatencyProfile['range']['features'] },
    band: { lowRatio: 1, highRatio: 1, coverage: 0.9, rowsCovered: 0, rows: 0 },
    error: null,
    source: '',
  };
}

function toRecord(values: readonly number[]): Record<(typeof costFeatures)[number], number> {
  return Object.fromEntries(costFeatures.map((name, f) => [name, values[f]!])) as Record<
    (typeof costFeatures)[number],
    number
  >;
}

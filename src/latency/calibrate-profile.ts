import { type CostFeatures, costFeatures } from '../targets/cost-features.ts';
import type { LatencyProfile } from '../targets/latency-schema.ts';
import { fitCoefficients } from './fit-coefficients.ts';
import { featureVector } from './layer-cost.ts';
import { logCoefficients } from './predict-latency.ts';

/** One network as it ran on the board. */
export interface NetworkMeasurement {
  readonly features: CostFeatures;
  /** Of one run, cool and undisturbed: the median or the minimum of many. */
  readonly latencyMs: number;
}

/** What was calibrated, for the profile that comes out. */
export type CalibratedSetting = Pick<
  LatencyProfile,
  'engine' | 'engineVersion' | 'precision' | 'threads' | 'cores' | 'osBits' | 'board' | 'source' | 'measured'
>;

/** Weight of the prior's shape against one measured network: the shape of another board is good to some 30 %. */
export const SHAPE_WEIGHT = 0.3;

/**
 * Ends of the 90 % band by the number of measured networks, as natural logarithms of measured over predicted. They come
 * from a simulation over the published rows in which each board is calibrated from boards of its kind and the networks
 * left out are predicted (`npm run bench:latency` shows them and counts what they cover).
 */
const BANDS: readonly { readonly networks: number; readonly low: number; readonly high: number }[] = [
  { networks: 1, low: -0.46, high: 0.51 },
  { networks: 3, low: -0.4, high: 0.46 },
  { networks: 5, low: -0.36, high: 0.42 },
];
/**
 * Another arithmetic does not show in that simulation. Another engine could not be simulated, and what some costs count are
 * ways of the published one, so it gets a margin.
 */
const OTHER_KIND_FACTOR = 1.5;

/**
 * A profile of a board from few measured networks: the speed is what was measured, the shape of the cost is the prior's as
 * far as the measurements do not tell better. The prior may be of another board or engine, since only its shape is used.
 * @throws RangeError without measurements
 */
export function calibrateProfile(
  prior: LatencyProfile,
  measurements: readonly NetworkMeasurement[],
  setting: CalibratedSetting,
): LatencyProfile {
  if (measurements.length === 0) throw new RangeError('a calibration needs one measured network at least');
  const rows = measurements.map(({ features }) => featureVector(features));
  const fit = fitCoefficients(
    rows,
    measurements.map(({ latencyMs }) => Math.log(latencyMs)),
    { logPrior: logCoefficients(prior), priorWeight: SHAPE_WEIGHT },
  );
  const band = [...BANDS].reverse().find(({ networks }) => networks <= measurements.length)!;
  const factor = prior.engine === setting.engine && prior.precision === setting.precision ? 1 : OTHER_KIND_FACTOR;
  const latencies = measurements.map(({ latencyMs }) => latencyMs);
  const speed = Math.exp(fit.logScale);
  // Other networks are not predicted better than those that were measured: on a board that was busy, for example.
  const misses = rows.map((row, i) => {
    const predictedMs = row.reduce((sum, amount, f) => sum + amount * Math.exp(fit.logCoefficients[f]!), 0);
    return Math.log(latencies[i]! / predictedMs);
  });
  const low = Math.min(band.low * factor, ...misses);
  const high = Math.max(band.high * factor, ...misses);
  return {
    ...setting,
    origin: 'calibrated',
    coefficientsMs: Object.fromEntries(
      costFeatures.map((name, f) => [name, round(Math.exp(fit.logCoefficients[f]!))]),
    ) as LatencyProfile['coefficientsMs'],
    // The shape still rests on the networks of the prior.
    range: {
      latencyMs: {
        min: Math.min(...latencies, prior.range.latencyMs.min * speed),
        max: Math.max(...latencies, prior.range.latencyMs.max * speed),
      },
      features: Object.fromEntries(
        costFeatures.map((name, f) => {
          const own = rows.map((row) => row[f]!);
          const { min, max } = prior.range.features[name] ?? { min: 0, max: 0 };
          return [name, { min: Math.min(min, ...own), max: Math.max(max, ...own) }];
        }),
      ) as LatencyProfile['range']['features'],
    },
    band: {
      lowRatio: round(Math.exp(low)),
      highRatio: round(Math.exp(high)),
      coverage: 0.9,
      rowsCovered: 0,
      rows: 0,
    },
    error: null,
  };
}

function round(value: number): number {
  return Number(value.toPrecision(5));
}

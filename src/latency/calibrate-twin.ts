import type { LatencyProfile } from '../targets/latency-schema.ts';
import { type NetworkMeasurement, SHAPE_WEIGHT } from './calibrate-profile.ts';
import { fitCoefficients } from './fit-coefficients.ts';
import { twinLogLatency, twinParts } from './int8-twin.ts';
import { featureVector } from './layer-cost.ts';
import { logCoefficients } from './predict-latency.ts';

type Twin = NonNullable<LatencyProfile['int8Twin']>;

/** The prior's band was tested on the published engine alone: a margin, in logarithms. */
const OTHER_ENGINE_FACTOR = 1.25;

/**
 * What int8 gains on a board from networks that ran there in floats and in int8: the ratio of each part of the time, drawn to
 * the prior's. The band is the prior's with a margin, since nothing was left out here, and holds these networks: engines differ
 * in what int8 does to depthwise and fully connected layers, which are one part.
 * @param profiles the board's, in floats and in int8
 * @param int8Measurements and their float twins, in the same order
 */
export function calibrateTwin(
  prior: Twin,
  profiles: { readonly float: LatencyProfile; readonly int8: LatencyProfile },
  int8Measurements: readonly NetworkMeasurement[],
  floatMeasurements: readonly NetworkMeasurement[],
): Twin {
  const [float, int8] = [logCoefficients(profiles.float), logCoefficients(profiles.int8)];
  const { products1x1, products3x3, rest } = prior.ratios;
  const { logCoefficients: logRatios } = fitCoefficients(
    int8Measurements.map(({ features }) => twinParts(featureVector(features), float)),
    int8Measurements.map(({ latencyMs }, i) => Math.log(latencyMs / floatMeasurements[i]!.latencyMs)),
    { logPrior: [products1x1, products3x3, rest].map(Math.log), priorWeight: SHAPE_WEIGHT },
  );
  const errors = int8Measurements.map(({ features, latencyMs }, i) => {
    const logOriginal = Math.log(floatMeasurements[i]!.latencyMs);
    const twin = { float, int8, ratios: logRatios, carry: prior.carry };
    return latencyMs / Math.exp(twinLogLatency(featureVector(features), logOriginal, twin));
  });
  const [one, three, other] = logRatios.map((log) => round(Math.exp(log))) as [number, number, number];
  const { coverage } = prior.band;
  const lowRatio = round(Math.min(prior.band.lowRatio ** OTHER_ENGINE_FACTOR, ...errors));
  const highRatio = round(Math.max(prior.band.highRatio ** OTHER_ENGINE_FACTOR, ...errors));
  return {
    ratios: { products1x1: one, products3x3: three, rest: other },
    carry: prior.carry,
    band: { lowRatio, highRatio, coverage, rowsCovered: 0, rows: 0 },
    error: null,
  };
}

function round(value: number): number {
  return Number(value.toPrecision(5));
}

import type { LatencyProfile } from '../targets/latency-schema.ts';
import { type NetworkMeasurement, OTHER_KIND_FACTOR, SHAPE_WEIGHT } from './calibrate-profile.ts';
import { fitCoefficients } from './fit-coefficients.ts';
import { twinParts } from './int8-twin.ts';
import { featureVector } from './layer-cost.ts';
import { logCoefficients } from './predict-latency.ts';

type Twin = NonNullable<LatencyProfile['int8Twin']>;

/**
 * What int8 gains on a board from networks that ran there in floats and in int8: the ratio of each part of the time, drawn to
 * the prior's. The band is the prior's with a margin, since nothing was left out here.
 * @param float the board's profile in floats
 * @param int8Measurements and their float twins, in the same order
 */
export function calibrateTwin(
  prior: Twin,
  float: LatencyProfile,
  int8Measurements: readonly NetworkMeasurement[],
  floatMeasurements: readonly NetworkMeasurement[],
): Twin {
  const logFloat = logCoefficients(float);
  const { products1x1, products3x3, rest } = prior.ratios;
  const { logCoefficients: logRatios } = fitCoefficients(
    int8Measurements.map(({ features }) => twinParts(featureVector(features), logFloat)),
    int8Measurements.map(({ latencyMs }, i) => Math.log(latencyMs / floatMeasurements[i]!.latencyMs)),
    { logPrior: [products1x1, products3x3, rest].map(Math.log), priorWeight: SHAPE_WEIGHT },
  );
  const [one, three, other] = logRatios.map((log) => round(Math.exp(log))) as [number, number, number];
  const widen = (ratio: number) => round(ratio ** OTHER_KIND_FACTOR);
  const { lowRatio, highRatio, coverage } = prior.band;
  return {
    ratios: { products1x1: one, products3x3: three, rest: other },
    carry: prior.carry,
    band: { lowRatio: widen(lowRatio), highRatio: widen(highRatio), coverage, rowsCovered: 0, rows: 0 },
    error: null,
  };
}

function round(value: number): number {
  return Number(value.toPrecision(5));
}

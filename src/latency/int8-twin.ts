import { type CostFeature, costFeatures } from '../targets/cost-features.ts';
import { logPredict } from './fit-coefficients.ts';

/** What is known of a board in floats and in int8; natural logarithms, coefficients in the order of `costFeatures`. */
export interface TwinCoefficients {
  readonly float: readonly number[];
  readonly int8: readonly number[];
  /** Of int8 over float time: 1×1 and other products, 3×3 products, the rest. */
  readonly ratios: readonly number[];
  /** Share of a network's deviation in floats that its int8 twin has too. */
  readonly carry: number;
}

const PART: Partial<Record<CostFeature, number>> = {
  conv1x1Gmac: 0,
  convOtherGmac: 0,
  narrowGmac: 0,
  conv3x3Gmac: 1,
  conv3x3Gb: 1,
};
const REST = 2;

/** Shares of the predicted time in floats: 1×1 and other products, 3×3 products, the rest; they add up to 1. */
export function twinParts(features: readonly number[], logFloat: readonly number[]): readonly [number, number, number] {
  const parts: [number, number, number] = [0, 0, 0];
  features.forEach((value, f) => {
    parts[PART[costFeatures[f]!] ?? REST]! += value * Math.exp(logFloat[f]!);
  });
  const total = parts[0] + parts[1] + parts[2];
  return [parts[0] / total, parts[1] / total, parts[2] / total];
}

/**
 * Natural logarithm of the int8 latency of a network whose latency in floats was measured: the mean of two ways, the int8
 * model corrected by what the network took in floats, and the measured latency times the ratio of each part.
 * @param logOriginal natural logarithm of the measured latency in floats
 */
export function twinLogLatency(features: readonly number[], logOriginal: number, twin: TwinCoefficients): number {
  const deviation = logOriginal - logPredict(features, twin.float);
  const corrected = logPredict(features, twin.int8) + twin.carry * deviation;
  const scaled = logOriginal + logPredict(twinParts(features, twin.float), twin.ratios);
  return (corrected + scaled) / 2;
}

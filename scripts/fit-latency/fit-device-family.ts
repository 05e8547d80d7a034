import { type Fit, fitCoefficients } from '../../src/latency/fit-coefficients.ts';
import { type CostFeature, costFeatures } from '../../src/targets/cost-features.ts';

/** Measured networks of one device in one setting. */
export interface MeasuredDevice {
  readonly key: string;
  /** Features of each network, in the order of `costFeatures`. */
  readonly rows: readonly (readonly number[])[];
  readonly logLatency: readonly number[];
}

/**
 * How long things take against 10^9 MACs of a 1×1 convolution, before any row is seen: a vector core does a Winograd
 * product in a quarter of the MACs, few operations per byte of a depthwise layer, and reads memory at a few GB/s.
 */
const startingCosts: Readonly<Record<CostFeature, number>> = {
  conv1x1Gmac: 1,
  conv3x3Gmac: 0.25,
  convOtherGmac: 1.2,
  depthwiseGmac: 2.5,
  weightGb: 4,
  conv1x1Gb: 3,
  conv3x3Gb: 4,
  convOtherGb: 3,
  depthwiseGb: 3,
  pointwiseGb: 2,
  exponentialGb: 6,
  kiloLayers: 0.15,
};

export const startingPrior: readonly number[] = costFeatures.map((name) => Math.log(startingCosts[name]));

export interface FamilySettings {
  /** Weight of the family's mean for each device: what one coefficient differs between boards against the noise of a row. */
  readonly priorWeight: number;
  /** Weight of the starting costs for the family's mean, in devices. */
  readonly startWeight?: number;
}

export interface FamilyFit {
  readonly fits: ReadonlyMap<string, Fit>;
  /** Mean of the devices' log coefficients without their common factors, drawn to the starting costs. */
  readonly logMean: readonly number[];
}

const ROUNDS = 5;

/**
 * Fits devices of one kind together: each has coefficients of its own, drawn to the mean of the family, which is drawn to
 * the starting costs. Twenty networks cannot tell twelve coefficients apart on one board; ten boards of a kind help.
 */
export function fitDeviceFamily(
  devices: readonly MeasuredDevice[],
  { priorWeight, startWeight = 20 }: FamilySettings,
): FamilyFit {
  let logMean = startingPrior;
  const fits = new Map<string, Fit>();
  for (let round = 0; round < ROUNDS; round++) {
    const sums = new Array<number>(costFeatures.length).fill(0);
    for (const { key, rows, logLatency } of devices) {
      const start = fits.get(key)?.logCoefficients;
      const fit = fitCoefficients(rows, logLatency, { logPrior: logMean, priorWeight, ...(start && { start }) });
      fits.set(key, fit);
      fit.logCoefficients.forEach((value, f) => {
        sums[f]! += value - fit.logScale;
      });
    }
    logMean = sums.map((sum, f) => (sum + startWeight * startingPrior[f]!) / (devices.length + startWeight));
  }
  return { fits, logMean };
}

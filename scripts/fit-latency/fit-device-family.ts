import { type Fit, fitCoefficients, logPredict } from '../../src/latency/fit-coefficients.ts';
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
  narrowGmac: 0.5,
  weightGb: 4,
  conv1x1Gb: 3,
  conv3x3Gb: 4,
  convOtherGb: 3,
  depthwiseGb: 3,
  columnGb: 3,
  pointwiseGb: 2,
  moveGb: 2,
  exponentialGb: 6,
  kiloLayers: 0.15,
};

export const startingPrior: readonly number[] = costFeatures.map((name) => Math.log(startingCosts[name]));

export interface FamilySettings {
  /**
   * Weight of the family's mean for a device whose rows scatter as those of the family do: the noise of a row against what one
   * coefficient differs between boards.
   */
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
/** Residuals beyond this count as if they were no larger; where the loss turns linear. */
const LARGEST_RESIDUAL = 0.3;
/** Rows that the scatter of the whole family counts for in that of one device. */
const POOL_ROWS = 10;

/**
 * Fits devices of one kind together: each has coefficients of its own, drawn to the mean of the family, which is drawn to
 * the starting costs. Twenty networks cannot tell fifteen coefficients apart on one board; ten boards of a kind help. A device
 * whose rows scatter less than those of the others is drawn less, one whose rows scatter more is drawn more.
 */
export function fitDeviceFamily(
  devices: readonly MeasuredDevice[],
  { priorWeight, startWeight = 20 }: FamilySettings,
): FamilyFit {
  let logMean = startingPrior;
  let noise: readonly number[] = devices.map(() => 1);
  const fits = new Map<string, Fit>();
  for (let round = 0; round < ROUNDS; round++) {
    const sums = new Array<number>(costFeatures.length).fill(0);
    for (const [i, { key, rows, logLatency }] of devices.entries()) {
      const start = fits.get(key)?.logCoefficients;
      const settings = { logPrior: logMean, priorWeight: priorWeight * noise[i]! };
      const fit = fitCoefficients(rows, logLatency, { ...settings, ...(start && { start }) });
      fits.set(key, fit);
      fit.logCoefficients.forEach((value, f) => {
        sums[f]! += value - fit.logScale;
      });
    }
    logMean = sums.map((sum, f) => (sum + startWeight * startingPrior[f]!) / (devices.length + startWeight));
    noise = relativeNoise(devices, fits);
  }
  return { fits, logMean };
}

/** Mean square of each device's residuals over that of the family, drawn to 1. */
function relativeNoise(devices: readonly MeasuredDevice[], fits: ReadonlyMap<string, Fit>): readonly number[] {
  const squares = devices.map(({ key, rows, logLatency }) => {
    const { logCoefficients } = fits.get(key)!;
    const sum = rows.reduce((total, row, i) => {
      const residual = Math.min(LARGEST_RESIDUAL, Math.abs(logPredict(row, logCoefficients) - logLatency[i]!));
      return total + residual ** 2;
    }, 0);
    return sum / Math.max(1, rows.length);
  });
  const mean = squares.reduce((sum, square) => sum + square, 0) / Math.max(1, squares.length);
  return squares.map((square, i) => {
    const { length } = devices[i]!.rows;
    return mean === 0 ? 1 : (POOL_ROWS * mean + length * square) / ((POOL_ROWS + length) * mean);
  });
}

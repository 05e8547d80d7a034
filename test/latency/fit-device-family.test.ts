import { describe, expect, it } from 'vitest';
import { fitDeviceFamily, type MeasuredDevice, startingPrior } from '../../scripts/fit-latency/fit-device-family.ts';
import { seededRandom } from '../../src/runtime/seeded-random.ts';

const random = seededRandom(5);
const networks = Array.from({ length: 20 }, () => startingPrior.map(() => random() ** 3));
/** Every network twice, so that scatter can be symmetric. */
const rows = [...networks, ...networks];

/** A device whose log coefficients differ from the starting ones by `shift`; its rows are off by ± `scatter` in turn. */
function device(key: string, shift: readonly number[], scatter = 0): MeasuredDevice {
  const logLatency = rows.map((row, i) => {
    const sum = row.reduce((total, value, f) => total + value * Math.exp(startingPrior[f]! + shift[f]!), 0);
    return Math.log(sum) + (i < networks.length ? scatter : -scatter);
  });
  return { key, rows, logLatency };
}

const plain = startingPrior.map(() => 0);
const odd = startingPrior.map((_, f) => (f % 2 === 0 ? 0.8 : -0.8));
const family = [1, 2, 3, 4].map((i) => device(`plain ${i}`, plain, 0.1));

/** How far the fit of the device `odd` is from the coefficients that made its rows. */
function distance(scatter: number): number {
  const { fits } = fitDeviceFamily([...family, device('odd', odd, scatter)], { priorWeight: 0.1 });
  const { logCoefficients } = fits.get('odd')!;
  return Math.hypot(...logCoefficients.map((value, f) => value - startingPrior[f]! - odd[f]!));
}

describe('fitDeviceFamily', () => {
  it('draws a device to its family by how much its rows scatter', () => {
    // The scatter is the same on both sides of each row: with one weight for all devices the distances are within 5 %.
    expect(distance(0)).toBeLessThan(0.75 * distance(0.25));
  });

  it('does not depend on the order of the devices', () => {
    const devices = [...family, device('odd', odd)];
    const one = fitDeviceFamily(devices, { priorWeight: 0.3 }).logMean;
    const other = fitDeviceFamily([...devices].reverse(), { priorWeight: 0.3 }).logMean;
    one.forEach((value, f) => {
      expect(value).toBeCloseTo(other[f]!, 10);
    });
  });
});

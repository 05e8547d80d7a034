import { describe, expect, it } from 'vitest';
import { type CrossValidation, crossValidate, type Residual } from '../../scripts/fit-latency/cross-validate.ts';
import { bandCoverage, errorSummary } from '../../scripts/fit-latency/error-bands.ts';
import { simulateCalibration } from '../../scripts/fit-latency/few-shot.ts';
import { readmeKey, readmeTable } from '../../scripts/fit-latency/readme-table.ts';
import { readNetworks, readRuns, sharedAvailable } from '../../scripts/fit-latency/shared-rows.ts';
import { listTargets, loadTarget } from '../../src/targets/load-target.ts';

function coverage(residuals: readonly Residual[]) {
  const counts = [...bandCoverage(residuals).values()];
  const covered = counts.reduce((sum, count) => sum + count.covered, 0);
  return { covered, rows: counts.reduce((sum, count) => sum + count.rows, 0) };
}

describe.skipIf(!sharedAvailable)('leave-one-network-out over the published rows', () => {
  const networks = sharedAvailable ? readNetworks() : new Map();
  const runs = sharedAvailable ? readRuns(networks) : [];
  const floats = runs.filter((run) => run.precision !== 'int8');
  let cached: CrossValidation | undefined;
  const validation = () => (cached ??= crossValidate(runs, networks));
  const of = (precision: string) => validation().floats.filter(({ key }) => key.endsWith(precision));

  it('fp32 boards: median at most 8 %, at least 78 % within 20 %', () => {
    const { medianError, within20, rows } = errorSummary(of('fp32'));
    expect(rows).toBe(190);
    expect(medianError).toBeLessThanOrEqual(0.08);
    expect(within20).toBeGreaterThanOrEqual(0.78);
  });

  it('fp16 boards: median at most 12 %, at least 75 % within 20 %', () => {
    const { medianError, within20, rows } = errorSummary(of('fp16'));
    expect(rows).toBe(396);
    expect(medianError).toBeLessThanOrEqual(0.12);
    expect(within20).toBeGreaterThanOrEqual(0.75);
  });

  it('profiles: none is worse than the published table', () => {
    const worse: string[] = [];
    for (const run of floats) {
      const { medianError, within20 } = errorSummary(validation().floats.filter(({ key }) => key === run.key));
      const [median, , within] = readmeTable[readmeKey(run)]!;
      if (Math.round(100 * medianError) > median) worse.push(`${run.key} median`);
      if (Math.round(100 * within20) < within) worse.push(`${run.key} within 20 %`);
    }
    expect(floats.length).toBe(30);
    expect(worse).toEqual([]);
  });

  it('bands that were made without a network hold 88 to 97 % of the rows', () => {
    const sets = [of('fp32'), of('fp16'), validation().int8].map(coverage);
    for (const { covered, rows } of sets) expect(covered / rows).toBeGreaterThanOrEqual(0.88);
    const covered = sets.reduce((sum, set) => sum + set.covered, 0);
    const rows = sets.reduce((sum, set) => sum + set.rows, 0);
    expect(rows).toBe(762);
    expect(covered / rows).toBeGreaterThanOrEqual(0.88);
    expect(covered / rows).toBeLessThanOrEqual(0.97);
  });

  it('int8 given the measured original: median at most 8 %, at least 85 % within 20 %', () => {
    const { medianError, within20 } = errorSummary(validation().strictTwins);
    expect(medianError).toBeLessThanOrEqual(0.08);
    expect(within20).toBeGreaterThanOrEqual(0.85);
  });

  it('calibration from 1, 3 and 5 networks errs as its bands say', () => {
    const ends = { 1: [-0.46, 0.51], 3: [-0.4, 0.46], 5: [-0.36, 0.42] } as const;
    for (const [k, [low, high]] of Object.entries(ends)) {
      const residuals = simulateCalibration(floats, networks, Number(k));
      const inside = residuals.filter(({ log }) => log >= low && log <= high).length / residuals.length;
      expect(inside).toBeGreaterThan(0.88);
      expect(inside).toBeLessThan(0.97);
      expect(errorSummary(residuals).medianError).toBeLessThan(k === '1' ? 0.17 : 0.13);
    }
  });

  it('the profiles that are shipped are those that the rows give', () => {
    for (const name of listTargets()) {
      for (const { precision, error, source } of loadTarget(name).latency?.profiles ?? []) {
        const all = precision === 'int8' ? validation().int8 : validation().floats;
        const run = runs.find((each) => each.source === source && each.precision === precision)!;
        const { medianError } = errorSummary(all.filter(({ key }) => key === run.key));
        expect(error!.medianError).toBeCloseTo(medianError, 4);
      }
    }
  });
});

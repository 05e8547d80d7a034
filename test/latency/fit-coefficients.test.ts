import { describe, expect, it } from 'vitest';
import { fitCoefficients, logPredict } from '../../src/latency/fit-coefficients.ts';

let seed = 7;
const random = () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return seed / 2 ** 31;
};
const truth = [3, 0.2, 40];
const rows = Array.from({ length: 30 }, () => [random(), 10 * random(), 0.1 * random()]);
const latency = rows.map((row) => Math.log(row.reduce((sum, value, f) => sum + value * truth[f]!, 0)));

describe('fitCoefficients', () => {
  it('finds the coefficients that made the rows', () => {
    const { logCoefficients } = fitCoefficients(rows, latency, { logPrior: [0, 0, 0], priorWeight: 1e-9 });
    logCoefficients.forEach((value, f) => {
      expect(Math.exp(value)).toBeCloseTo(truth[f]!, 3);
    });
  });

  it('keeps the shape of the prior and takes the speed from one row', () => {
    const prior = truth.map((value) => Math.log(value));
    const slow = [latency[0]! + Math.log(5)];
    const { logCoefficients, logScale } = fitCoefficients([rows[0]!], slow, { logPrior: prior, priorWeight: 0.3 });
    expect(Math.exp(logScale)).toBeCloseTo(5, 2);
    logCoefficients.forEach((value, f) => {
      expect(Math.exp(value - prior[f]!)).toBeCloseTo(5, 2);
    });
  });

  it('is not led astray by one row that is ten times as slow', () => {
    const spoiled = latency.map((value, i) => (i === 3 ? value + Math.log(10) : value));
    const { logCoefficients } = fitCoefficients(rows, spoiled, { logPrior: [0, 0, 0], priorWeight: 0.01 });
    const errors = rows.map((row, i) => Math.abs(logPredict(row, logCoefficients) - latency[i]!));
    expect(errors.filter((error) => error < 0.08).length).toBeGreaterThan(25);
  });
});

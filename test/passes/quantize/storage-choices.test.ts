import { describe, expect, it } from 'vitest';
import { storageChoices } from '../../../src/passes/quantize/storage-choices.ts';
import { dequantizeWeights, quantizeWeights } from '../../../src/quantization/quantize-weights.ts';

const layout = { channels: 32, outer: 1, inner: 2000 };
let state = 17;
const uniform = () => {
  state = (state * 16_807) % 2_147_483_647;
  return state / 2_147_483_647;
};
/** Bell-shaped weights, every channel of a width of its own. */
const weights = Float32Array.from({ length: 64_000 }, (_, i) => {
  const width = 1 + Math.floor(i / 2000) / 8;
  return width * (uniform() + uniform() + uniform() + uniform() - 2);
});

function entropyOf(values: ArrayLike<number>): number {
  const counts = new Map<number, number>();
  for (const value of Array.from(values)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - count * Math.log2(count / values.length), 0);
}

describe('storageChoices', () => {
  const choices = storageChoices(weights, layout, { prunable: true, wideSteps: true });

  it('begins with plain int8 and foretells bits and error of the others from a selection', () => {
    expect(choices[0]).toMatchObject({ sparsity: 0, stepFactor: 1, squaredError: 0 });
    const errorOf = (rounded: Float32Array) => rounded.reduce((sum, value, i) => sum + (value - weights[i]!) ** 2, 0);
    const make = (stepFactor: number) => quantizeWeights(weights, layout, { range: 'max', stepFactor });
    const plainError = errorOf(dequantizeWeights(make(1), layout));
    for (const stepFactor of [2, 4, 8, 16]) {
      const made = make(stepFactor);
      const choice = choices.find((other) => other.sparsity === 0 && Math.abs(other.stepFactor - stepFactor) < 1e-9)!;
      expect(Math.abs(choice.bits / entropyOf(made.values) - 1)).toBeLessThan(0.03);
      const error = errorOf(dequantizeWeights(made, layout)) - plainError;
      expect(Math.abs(choice.squaredError / error - 1)).toBeLessThan(0.1);
    }
  });

  it('foretells what zeros save: at 90 % less than 1.5 bits per weight are left', () => {
    const sparse = choices.find(({ sparsity, stepFactor }) => sparsity === 0.9 && stepFactor === 1)!;
    expect(sparse.bits / weights.length).toBeGreaterThan(0.47);
    expect(sparse.bits / weights.length).toBeLessThan(1.5);
    expect(storageChoices(weights, layout, { prunable: false, wideSteps: false })).toHaveLength(1);
  });
});

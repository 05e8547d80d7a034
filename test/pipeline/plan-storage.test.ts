import { describe, expect, it } from 'vitest';
import { type PlannedWeights, planStorage, StoragePlanner } from '../../src/pipeline/plan-storage.ts';

function weights(count: number, shape: (x: number) => number, seed = 3): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state * 16_807) % 2_147_483_647;
    return shape(state / 2_147_483_647);
  });
}

const layer = (name: string, values: Float32Array, noisePerError: number): PlannedWeights => ({
  names: [name],
  weights: values,
  layout: { channels: 8, outer: 1, inner: values.length / 8 },
  prunable: true,
  noisePerError,
});

const evenly = (x: number) => 2 * x - 1;
/** Nine of ten weights next to nothing. */
const mostlySmall = (x: number) => (x < 0.9 ? (x - 0.45) * 0.02 : (x - 0.95) * 20);

function planner(layers: PlannedWeights[], options: { wideSteps?: boolean; uniformSparsity?: boolean } = {}) {
  const elements = layers.reduce((sum, { weights: values }) => sum + values.length, 0);
  return new StoragePlanner(layers, { wideSteps: true, uniformSparsity: false, fileBytes: elements, ...options });
}

describe('StoragePlanner', () => {
  it('takes fewer bits for more noise, and wider steps where they do less harm', () => {
    const plans = planner([layer('tough', weights(4096, evenly), 1), layer('tender', weights(4096, evenly, 9), 16)]);
    let bits = plans.plain.bits;
    for (const noise of [0.01, 0.1, 1, 10, 100]) {
      const plan = plans.plan(noise, true);
      expect(plan.bits).toBeLessThanOrEqual(bits);
      bits = plan.bits;
    }
    const { tough, tender } = plans.stepFactors(plans.plan(1, false));
    expect(tough! / tender!).toBeCloseTo(4, 0);
  });

  it('says that zeros do not pay where wider steps do the same, with figures', () => {
    const plans = planner([layer('a', weights(8192, evenly), 1)]);
    const { zeros, because } = planStorage(plans, 5);
    expect(zeros).toBe(false);
    expect(because).toMatch(/zeros would make the \.epk \d\.\d % smaller .* zeros alone .* \(sparsityRatio 0\.\d\d\)/);
    expect(plans.sparsityByNode(plans.plan(5, false))).toEqual({});
  });

  it('sets zeros where steps are not to be widened and small weights abound', () => {
    const plans = planner([layer('a', weights(8192, mostlySmall), 1)], { wideSteps: false });
    expect(planStorage(plans, 0.5).zeros).toBe(true);
    const plan = plans.plan(0.5, true);
    expect(plans.sparsityByNode(plan).a).toBeGreaterThanOrEqual(0.85);
    expect(plan.bits).toBeLessThan(0.7 * plans.plain.bits);
    expect(plans.stepFactors(plan)).toEqual({});
  });

  it('sets the same share in every layer where the scope is local', () => {
    const layers = [layer('a', weights(4096, evenly), 1), layer('b', weights(4096, evenly, 9), 100)];
    const local = planner(layers, { wideSteps: false, uniformSparsity: true }).plan(50, true);
    const [a, b] = local.layers.map(({ sparsity }) => sparsity);
    expect(a).toBeGreaterThan(0);
    expect(b).toBe(a);
    const global = planner(layers, { wideSteps: false }).plan(50, true);
    expect(global.layers[0]!.sparsity).toBeGreaterThan(global.layers[1]!.sparsity);
  });
});

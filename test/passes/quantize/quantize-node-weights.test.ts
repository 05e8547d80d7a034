import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node } from '../../../src/ir/node.ts';
import { quantizeNodeWeights } from '../../../src/passes/quantize/quantize-node-weights.ts';
import { GraphBuilder } from '../optimize/graph-builder.ts';
import { randomNumbers } from './quantize-case.ts';

const plain = { weightRange: 'max', biasCorrection: false, saturating: false } as const;

/** A Conv of random weights [outputs, inputs / group, 2, 2]. */
function convNode(outputs: number, inputs: number, group: number, seed: number, bias?: readonly number[]): Node {
  const builder = new GraphBuilder();
  const random = randomNumbers(seed);
  const dims = [outputs, inputs / group, 2, 2];
  const values = Array.from({ length: (outputs * inputs * 4) / group }, () => random() - 0.5);
  const x = builder.input('x', [1, inputs, 2, 2]);
  const constants = [builder.float('w', dims, values), ...(bias ? [builder.float('b', [outputs], bias)] : [])];
  return builder.op('Conv', [x, ...constants], { attributes: { group } }).producer!;
}

/** What a 2 × 2 convolution of one image of constant channels gives, in real numbers. */
function outputsOf(
  weights: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
  means: ArrayLike<number>,
  outputs: number,
  inputs: number,
  group: number,
): number[] {
  const perGroup = inputs / group;
  return Array.from({ length: outputs }, (_, m) => {
    let sum = bias?.[m] ?? 0;
    for (let c = 0; c < perGroup; c++) {
      const mean = means[Math.floor(m / (outputs / group)) * perGroup + c]!;
      for (let p = 0; p < 4; p++) sum += mean * weights[(m * perGroup + c) * 4 + p]!;
    }
    return sum;
  });
}

describe('the bias of a quantized node', () => {
  it('is in units of input scale times weight scale', () => {
    const node = convNode(2, 1, 1, 1, [0.5, -0.25]);
    const { weights, bias } = quantizeNodeWeights(node, 0.02, undefined, plain);
    for (const [c, value] of [0.5, -0.25].entries()) {
      const unit = Math.fround(weights.scales[c]! * 0.02);
      expect(bias!.scales[c]).toBe(unit);
      expect(Math.abs(bias!.values.toNumbers()[c]! * unit - value)).toBeLessThanOrEqual(unit * 0.51);
    }
  });

  it('is left out where there is none and nothing to correct', () => {
    expect(quantizeNodeWeights(convNode(2, 1, 1, 1), 0.02, undefined, plain).bias).toBeUndefined();
  });

  it('takes up the mean error of the rounded weights, group by group', () => {
    fc.assert(
      fc.property(
        fc.record({ group: fc.constantFrom(1, 2, 4), seed: fc.integer({ min: 0, max: 1e6 }), hasBias: fc.boolean() }),
        ({ group, seed, hasBias }) => {
          const [outputs, inputs] = [8, 4];
          const random = randomNumbers(seed + 1);
          const biases = Array.from({ length: outputs }, () => random() - 0.5);
          const node = convNode(outputs, inputs, group, seed, hasBias ? biases : undefined);
          const means = Float64Array.from({ length: inputs }, () => 4 * random() - 1);
          const exact = outputsOf(
            node.input(1)!.tensor!.toFloat32(),
            hasBias ? biases : undefined,
            means,
            outputs,
            inputs,
            group,
          );
          const error = (biasCorrection: boolean) => {
            const { weights, bias } = quantizeNodeWeights(node, 1e-4, means, { ...plain, biasCorrection });
            const size = (inputs / group) * 4;
            const real = weights.values.toNumbers().map((q, i) => q * weights.scales[Math.floor(i / size)]!);
            const offset = bias?.values.toNumbers().map((q, c) => q * bias.scales[c]!);
            const given = outputsOf(real, offset, means, outputs, inputs, group);
            return exact.reduce((sum, value, i) => sum + Math.abs(value - given[i]!), 0) / outputs;
          };
          // All that is left is the rounding of the bias itself.
          expect(error(true)).toBeLessThan(1e-5);
          expect(error(true)).toBeLessThan(error(false));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is handed back as a shift by a matrix product, which has none', () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', [1, 4]);
    const values = Array.from({ length: 12 }, (_, i) => Math.sin(i * 5.1));
    const node = builder.op('MatMul', [x, builder.float('w', [4, 3], values)]).producer!;
    const means = Float64Array.of(1, -2, 0.5, 3);
    const { weights, bias, shift, axis } = quantizeNodeWeights(node, 0.01, means, { ...plain, biasCorrection: true });
    expect(axis).toBe(1);
    expect(bias).toBeUndefined();
    const rounded = weights.values.toNumbers().map((q, i) => q * weights.scales[i % 3]!);
    for (let n = 0; n < 3; n++) {
      let error = 0;
      for (let k = 0; k < 4; k++) error += means[k]! * (Math.fround(values[k * 3 + n]!) - rounded[k * 3 + n]!);
      // On a grid of two products of integers (the root of four inputs), so that the last bits of the means do not matter.
      const unit = 2 * weights.scales[n]! * 0.01;
      expect(shift![n]).toBe(Math.round(error / unit) * unit);
    }
  });

  it('is not corrected by means that do not fit the weights', () => {
    const node = convNode(4, 4, 2, 1);
    const result = quantizeNodeWeights(node, 0.01, new Float64Array(3), { ...plain, biasCorrection: true });
    expect(result.bias).toBeUndefined();
  });

  it('fits into int32, and into half of it, however small the weights and large the bias', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1e-30, 1e-12, 1e-3, 1),
        fc.constantFrom(-1e6, -3, 0, 0.01, 1e4),
        fc.constantFrom(1e-6, 0.02, 3),
        (weight, value, inputScale) => {
          const builder = new GraphBuilder();
          const x = builder.input('x', [1, 1, 4]);
          const weights = builder.float('w', [2, 1, 2], [weight, -weight / 2, 0, 0]);
          const node = builder.op('Conv', [x, weights, builder.float('b', [2], [value, value])]).producer!;
          const { bias } = quantizeNodeWeights(node, inputScale, undefined, plain);
          bias!.values.toNumbers().forEach((q, c) => {
            expect(Math.abs(q)).toBeLessThanOrEqual(2 ** 30);
            // The real value is still there, also behind weights that are all zeros.
            expect(Math.abs(q * bias!.scales[c]! - value)).toBeLessThanOrEqual(
              1e-6 * Math.abs(value) + 0.51 * bias!.scales[c]!,
            );
          });
        },
      ),
    );
  });
});

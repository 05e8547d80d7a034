import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import type { Feeds } from '../../src/tensor/nd-array.ts';
import { calibrate, noiseFeeds, quantized, randomNumbers } from '../passes/quantize/quantize-case.ts';
import { cortexA72, haswell, runEmulated } from './emulated-hosts.ts';
import type { Accumulation } from './integer-arithmetic.ts';
import type { ReductionOrder } from './integer-conv.ts';
import { runReference } from './run-reference.ts';
import { type SmallLayer, smallModel } from './small-model.ts';

const LAYER_COUNT = 64;

/** Layers of all kinds, large enough for sums of several pairs. */
function randomLayer(seed: number): SmallLayer {
  const random = randomNumbers(seed);
  const integer = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  return {
    kind: (['conv', 'depthwise', 'gemm', 'matmul'] as const)[seed % 4]!,
    inputs: integer(2, 17),
    outputs: integer(1, 17),
    rank: 2,
    kernel: integer(1, 3),
    stride: integer(1, 2),
    dilation: 1,
    pad: integer(0, 2),
    group: integer(1, 2),
    bias: random() < 0.5,
    relu: random() < 0.5,
    seed,
    weightSpan: 0.5,
  };
}

/** Large inputs: what saturates, if anything does. */
function loud(feeds: Feeds): Feeds {
  const data = (feeds.x!.data as Float32Array).map((value) => (value < -0.4 ? -9 : 9));
  return { x: { ...feeds.x!, data } };
}

/** The step of the output where it is rounded, and what float32 costs where it is not. */
function toleranceOf(model: Model, expected: Float64Array): number {
  const producer = model.graph.outputs[0]!.producer!;
  const step = producer.is('DequantizeLinear') ? producer.input(1)!.tensor!.toFloat32()[0]! : 0;
  return 1.001 * step + 3e-6 * expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

interface Case {
  readonly layer: SmallLayer;
  readonly feeds: Feeds;
  readonly full: Model;
  readonly safe: Model;
}

let engine: Engine;
const cases: Case[] = [];
beforeAll(async () => {
  engine = await startEngine();
  for (let seed = 0; seed < LAYER_COUNT; seed++) {
    const layer = randomLayer(seed);
    const model = smallModel(layer);
    const table = await calibrate(model, engine, [noiseFeeds(model, seed + 1), noiseFeeds(model, seed + 2)]);
    const [{ model: full }, { model: safe }] = [
      await quantized(model, table, { saturating: false }),
      await quantized(model, table, { saturating: true }),
    ];
    cases.push({ layer, feeds: loud(noiseFeeds(model, seed + 3)), full, safe });
  }
});
afterAll(() => engine.close());

function emulated(host: typeof haswell, variant: 'full' | 'safe'): Float64Array[] {
  return runEmulated(
    host,
    cases.map((each) => {
      const { dims, data } = each.feeds.x!;
      return { model: each[variant], dims, values: Array.from(data as Float32Array) };
    }),
  );
}

/** Kinds of the layers whose outputs are more than a step off the reference's, and of how many outputs in all. */
function disagreements(
  outputs: readonly Float64Array[],
  variant: 'full' | 'safe',
  accumulation: Accumulation,
  order: ReductionOrder = 'positions-first',
): { kinds: string[]; share: number } {
  const kinds: string[] = [];
  let [off, count] = [0, 0];
  cases.forEach(({ layer, feeds, [variant]: model }, i) => {
    const expected = runReference(model, feeds, accumulation, order).get('y')!.values;
    const tolerance = toleranceOf(model, expected);
    expect(outputs[i]!.length).toBe(expected.length);
    const wrong = expected.filter((value, k) => !(Math.abs(value - outputs[i]![k]!) <= tolerance)).length;
    if (wrong > 0) kinds.push(layer.kind);
    off += wrong;
    count += expected.length;
  });
  return { kinds, share: off / count };
}

describe.skipIf(!haswell.canRun)(`the engine's default session on ${haswell.name}`, () => {
  it('computes models whose weights are limited exactly', () => {
    expect(disagreements(emulated(haswell, 'safe'), 'safe', 'exact').kinds).toEqual([]);
  });

  it('saturates on models of the full range, as the saturating reference does', () => {
    const outputs = emulated(haswell, 'full');
    const exact = disagreements(outputs, 'full', 'exact');
    expect(new Set(exact.kinds)).toEqual(new Set(['conv', 'gemm', 'matmul']));
    expect(exact.share).toBeGreaterThan(0.05);
    const saturating = disagreements(outputs, 'full', 'saturating');
    expect(saturating.kinds).toEqual([]);
  });
});

describe.skipIf(!cortexA72.canRun)(`the engine's default session on ${cortexA72.name}`, () => {
  it.each(['full', 'safe'] as const)('is exact: weights of the %s range', (variant) => {
    expect(disagreements(emulated(cortexA72, variant), variant, 'exact').kinds).toEqual([]);
  });
});

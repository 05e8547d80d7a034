import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.ts';
import { countUnsafePairs, neighbourPairs } from '../../src/quantization/saturation.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import type { SessionOptions } from '../../src/runtime/session.ts';
import type { Feeds } from '../../src/tensor/nd-array.ts';
import { bytesOf, calibrate, noiseFeeds, quantized } from '../passes/quantize/quantize-case.ts';
import { runReference } from './run-reference.ts';
import { type SmallLayer, smallModel } from './small-model.ts';

const layers: fc.Arbitrary<SmallLayer> = fc.record({
  kind: fc.constantFrom('conv', 'depthwise', 'gemm', 'matmul'),
  inputs: fc.integer({ min: 1, max: 9 }),
  outputs: fc.integer({ min: 1, max: 6 }),
  rank: fc.constantFrom(1, 2, 2, 3),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 2 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  pad: fc.integer({ min: 0, max: 2 }),
  group: fc.integer({ min: 1, max: 2 }),
  bias: fc.boolean(),
  relu: fc.boolean(),
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  weightSpan: fc.constantFrom(0.05, 0.5, 3),
});

/** The step of the layer's output where it is rounded: 0 where it stays real. */
function outputStep(model: Model): number {
  const producer = model.graph.outputs[0]!.producer!;
  return producer.is('DequantizeLinear') ? producer.input(1)!.tensor!.toFloat32()[0]! : 0;
}

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.close());

async function runEngine(model: Model, feeds: Feeds, options: SessionOptions): Promise<Float32Array> {
  const session = await engine.load(bytesOf(model), options);
  try {
    return (await session.run(feeds)).y!.data as Float32Array;
  } finally {
    await session.release();
  }
}

/** How often rounded outputs agreed to the last step. */
class Agreement {
  equal = 0;
  count = 0;

  /** Every output within one step of the reference's; outputs that stay real within float32's accuracy. */
  expectWithinOneStep(actual: Float32Array, expected: Float64Array, step: number): void {
    expect(actual.length).toBe(expected.length);
    const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    for (let i = 0; i < expected.length; i++) {
      const difference = Math.abs(actual[i]! - expected[i]!);
      expect(difference).toBeLessThan(1.001 * step + 3e-6 * largest + 1e-12);
      this.count++;
      if (difference < step / 2 + 3e-6 * largest + 1e-12) this.equal++;
    }
  }

  get share(): number {
    return this.equal / this.count;
  }
}

const sessions: Record<string, SessionOptions> = {
  'fused integer kernels, asked to be exact': { exact: true },
  'graph optimisation off': { optimization: 'disabled' },
};

describe.each(['uint8', 'int8'] as const)('quantized layers with %s activations', (activationType) => {
  it.each(Object.keys(sessions))('agree with the integer reference within one step: %s', async (name) => {
    const agreement = new Agreement();
    await fc.assert(
      fc.asyncProperty(layers, async (layer) => {
        const model = smallModel(layer);
        const samples = [1, 2, 3].map((seed) => noiseFeeds(model, layer.seed + seed));
        const options = { activationType, activationSymmetric: false } as const;
        const table = await calibrate(model, engine, samples, options);
        const { model: int8 } = await quantized(model, table, options);
        // Half again as wide as what was calibrated on: outputs are clipped at the ends of their ranges too.
        const feeds = wider(noiseFeeds(model, layer.seed + 9));
        const expected = runReference(int8, feeds).get('y')!;
        agreement.expectWithinOneStep(await runEngine(int8, feeds, sessions[name]!), expected.values, outputStep(int8));
      }),
      { numRuns: 60, seed: 3 },
    );
    expect(agreement.count).toBeGreaterThan(1000);
    expect(agreement.share).toBeGreaterThan(0.999);
  });
});

function wider(feeds: Feeds): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, array]) => [
      name,
      { ...array, data: (array.data as Float32Array).map((value) => value * 1.5) },
    ]),
  );
}

/** Pairs of a quantized layer's weights that can saturate; depthwise kernels have none. */
function unsafePairsOf(model: Model): number {
  let unsafe = 0;
  for (const node of model.graph.nodes()) {
    if (!node.is('Conv', 'Gemm', 'MatMul')) continue;
    const stored = node.input(1)!.producer!.input(0)!.tensor!;
    if (node.is('Conv') && stored.dims[1] === 1 && stored.dims[0] === node.int('group', 1)) continue;
    const isRowMajor = node.is('Conv') || node.int('transB', 0) === 1;
    const [rows, columns] = [stored.dims[0]!, stored.elementCount / stored.dims[0]!];
    const values = stored.toArray() as Int8Array;
    const channels = isRowMajor ? rows : columns;
    const size = isRowMajor ? columns : rows;
    const positions = node.is('Conv') ? stored.dims.slice(2).reduce((a, b) => a * b, 1) : 1;
    const pairs = neighbourPairs({ inputs: size / positions, positions });
    for (let c = 0; c < channels; c++) {
      const channel = Int8Array.from({ length: size }, (_, i) => values[isRowMajor ? c * size + i : i * columns + c]!);
      unsafe += countUnsafePairs(channel, pairs);
    }
  }
  return unsafe;
}

describe('saturation of pairs', () => {
  const orders = ['channels-first', 'positions-first'] as const;

  it('changes full-range models, and never one that was rounded for such targets', async () => {
    let saturated = 0;
    let unsafe = 0;
    await fc.assert(
      fc.asyncProperty(
        layers,
        fc.constantFrom('uint8', 'int8'),
        fc.boolean(),
        async (layer, activationType, isLoud) => {
          const model = smallModel(layer);
          const table = await calibrate(
            model,
            engine,
            [1, 2].map((seed) => noiseFeeds(model, seed)),
          );
          const feeds = isLoud ? extremes(noiseFeeds(model, layer.seed)) : noiseFeeds(model, layer.seed);
          const variants = await Promise.all(
            [false, true].map((saturating) => quantized(model, table, { activationType, saturating })),
          );
          const [full, safe] = variants.map((variant) => variant.model) as [Model, Model];
          unsafe += unsafePairsOf(full) > 0 ? 1 : 0;
          expect(unsafePairsOf(safe)).toBe(0);
          const exact = runReference(safe, feeds, 'exact').get('y')!.values;
          for (const order of orders) {
            expect(runReference(safe, feeds, 'saturating', order).get('y')!.values).toEqual(exact);
            const difference = compare(
              runReference(full, feeds, 'saturating', order).get('y')!.values,
              runReference(full, feeds, 'exact').get('y')!.values,
            );
            if (difference > 0) saturated++;
            if (unsafePairsOf(full) === 0) expect(difference).toBe(0);
          }
        },
      ),
      { numRuns: 100, seed: 5 },
    );
    // The property would hold of models that cannot saturate at all: these can, and do.
    expect(unsafe).toBeGreaterThan(25);
    expect(saturated).toBeGreaterThan(20);
  });
});

/** Every element at one end of the calibrated range or beyond it. */
function extremes(feeds: Feeds): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, array]) => [
      name,
      { ...array, data: (array.data as Float32Array).map((value) => (value < -0.2 ? -9 : 9)) },
    ]),
  );
}

function compare(a: Float64Array, b: Float64Array): number {
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);
}

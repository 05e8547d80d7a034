import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  collectStatistics,
  type StatisticsNeeds,
  type WantedAnswers,
} from '../../src/calibration/collect-statistics.ts';
import { silentLogger } from '../../src/diagnostics/logger.ts';
import { encodeModel } from '../../src/formats/onnx/write-model.ts';
import { inferShapes } from '../../src/ir/infer-shapes.ts';
import type { Model } from '../../src/ir/model.ts';
import { printModel } from '../../src/ir/print.ts';
import type { CalibrationTable } from '../../src/quantization/calibration-table.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import type { Feeds } from '../../src/tensor/nd-array.ts';
import { GraphBuilder } from '../passes/optimize/graph-builder.ts';
import { datasetOf, noiseFeeds } from '../passes/quantize/quantize-case.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.close());

function collect(
  model: Model,
  samples: readonly Feeds[],
  needs: Partial<StatisticsNeeds>,
  answers?: WantedAnswers,
): Promise<CalibrationTable> {
  inferShapes(model);
  const all = { ranges: [], rangeSource: 'extremes', channelMeans: new Map(), ...needs } as const;
  return collectStatistics(model, datasetOf(samples), all, { engine, threads: 1, logger: silentLogger, answers });
}

/** x → d = 2 x → y = d + c, of images. */
function imageModel(opset = 17, shape: readonly (number | string)[] = ['N', 3, 4, 4]): Model {
  const builder = new GraphBuilder(opset);
  const doubled = builder.op('Add', [builder.input('x', shape), builder.model.graph.inputs[0]!], { outputs: ['d'] });
  const moved = builder.op('Add', [doubled, builder.float('c', [3, 1, 1], [1, 2, 3])], { outputs: ['y'] });
  return builder.output(moved, undefined).model;
}

function vectorModel(opType: string): Model {
  const builder = new GraphBuilder();
  const made = builder.op(opType, [builder.input('x', ['N', 1])], { outputs: ['made'] });
  return builder.output(builder.op('Neg', [made], { outputs: ['y'] }), undefined).model;
}

const vector = (...values: number[]): Feeds => ({
  x: { dataType: DataType.float32, dims: [values.length, 1], data: Float32Array.from(values) },
});

/** Answers are wanted for these samples. */
function answersFor(wanted: readonly Feeds[], outputNames: readonly string[]) {
  const taken = new Map<Feeds, Feeds>();
  const wants = (feeds: Feeds) => wanted.includes(feeds);
  return { taken, outputNames, wants, take: (feeds: Feeds, answer: Feeds) => void taken.set(feeds, answer) };
}

/** Extremes and means per channel of 2 x + offset, straight from the samples. */
function directly(samples: readonly Feeds[], offsets: readonly number[]) {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const sums = offsets.map(() => 0);
  let count = 0;
  for (const { x } of samples) {
    (x!.data as Float32Array).forEach((value, i) => {
      const channel = Math.floor(i / 16) % 3;
      const made = Math.fround(2 * value + offsets[channel]!);
      [min, max] = [Math.min(min, made), Math.max(max, made)];
      sums[channel]! += made;
    });
    count += x!.data.length / 3;
  }
  return { min, max, means: sums.map((sum) => sum / count) };
}

describe('statistics of activations', () => {
  it.each([13, 17, 18, 20])('are those of a direct computation, in operator set %i', async (opset) => {
    const model = imageModel(opset);
    const before = printModel(model);
    const samples = [1, 2, 3, 4, 5].map((seed) => noiseFeeds(model, seed));
    const table = await collect(model, samples, {
      ranges: ['x', 'd', 'y'],
      channelMeans: new Map([
        ['y', 1],
        ['x', -3],
      ]),
    });
    expect(table.sampleCount).toBe(5);
    const y = directly(samples, [1, 2, 3]);
    expect(table.activations.get('y')!.min).toBeCloseTo(y.min, 2.5);
    expect(table.activations.get('y')!.max).toBeCloseTo(y.max, 2.5);
    y.means.forEach((mean, c) => {
      expect(table.channelMeans.get('y')![c]).toBeCloseTo(mean, 5);
    });
    const d = directly(samples, [0, 0, 0]);
    expect(table.activations.get('d')).toEqual({ min: expect.closeTo(d.min, 2.5), max: expect.closeTo(d.max, 2.5) });
    expect(table.activations.get('x')).toEqual({
      min: expect.closeTo(d.min / 2, 2.5),
      max: expect.closeTo(d.max / 2, 2.5),
    });
    expect(table.channelMeans.get('x')).toHaveLength(3);
    // The model itself is not touched.
    expect(printModel(model)).toBe(printModel(imageModelAfterInference(opset)));
    expect(before).not.toContain('probe');
  });

  it('takes the answers on the way that are wanted, and none where an output is a constant', async () => {
    const model = imageModel();
    const samples = [1, 2, 3].map((seed) => noiseFeeds(model, seed));
    const answers = answersFor(samples.slice(1), ['y']);
    await collect(model, samples, { ranges: ['d'] }, answers);
    expect([...answers.taken.keys()]).toEqual(samples.slice(1));
    const session = await engine.load(Buffer.concat(encodeModel(model).pieces));
    for (const [feeds, answer] of answers.taken) expect(answer).toEqual(await session.run(feeds));
    await session.release();

    const constant = answersFor(samples, ['y', 'c']);
    await collect(imageModel(), samples, { ranges: ['d'] }, constant);
    expect(constant.taken.size).toBe(0);
  });

  it('come with histograms where they are asked for, every element of small values counted', async () => {
    const model = imageModel();
    const samples = [1, 2, 3].map((seed) => noiseFeeds(model, seed));
    const { activations } = await collect(model, samples, { ranges: ['d'], rangeSource: 'histogram' });
    const { min, max, histogram } = activations.get('d')!;
    const exact = directly(samples, [0, 0, 0]);
    expect(Array.from(histogram!.counts).reduce((a, b) => a + b)).toBe(3 * 2 * 48);
    // Extremes are those of the outermost bins, which are 1/128 of their value wide.
    expect(min).toBeLessThanOrEqual(exact.min);
    expect(min).toBeGreaterThan(exact.min * 1.01);
    expect(max).toBeGreaterThanOrEqual(exact.max);
    expect(max).toBeLessThan(exact.max * 1.01);
  });

  it('count an even selection of the elements of large values, all channels alike', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', ['N', 16, 64, 64]);
    const model = builder.output(builder.op('Relu', [x], { outputs: ['y'] }), undefined).model;
    // Every channel has a value of its own.
    const data = Float32Array.from({ length: 16 * 64 * 64 }, (_, i) => 2 ** (Math.floor(i / 4096) - 8));
    const feeds: Feeds = { x: { dataType: DataType.float32, dims: [1, 16, 64, 64], data } };
    const { activations } = await collect(model, [feeds], { ranges: ['y'], rangeSource: 'histogram' });
    const counts = Array.from(activations.get('y')!.histogram!.counts);
    expect(counts).toHaveLength(16);
    const total = counts.reduce((a, b) => a + b);
    expect(total).toBeLessThan(data.length / 4);
    expect(total).toBeGreaterThan(1000);
    for (const count of counts) expect(Math.abs(count - total / 16)).toBeLessThanOrEqual(1);
  });

  it('take samples of different shapes', async () => {
    const model = imageModel(17, ['N', 3, 'H', 'W']);
    const sized = (height: number, width: number, value: number): Feeds => ({
      x: {
        dataType: DataType.float32,
        dims: [1, 3, height, width],
        data: new Float32Array(3 * height * width).fill(value),
      },
    });
    const samples = [sized(2, 3, 1), sized(7, 1, -4), sized(1, 1, 0.5)];
    for (const rangeSource of ['extremes', 'histogram'] as const) {
      const table = await collect(model, samples, { ranges: ['d'], rangeSource, channelMeans: new Map([['d', 1]]) });
      const { min, max } = table.activations.get('d')!;
      expect(min).toBeLessThanOrEqual(-8);
      expect(min).toBeGreaterThan(-8.1);
      expect(max).toBeGreaterThanOrEqual(2);
      expect(max).toBeLessThan(2.1);
      // Every sample counts the same, however large it is.
      expect([...table.channelMeans.get('d')!]).toEqual([-5 / 3, -5 / 3, -5 / 3]);
    }
  });

  it('of constant and of zero values are these values', async () => {
    const model = vectorModel('Relu');
    const { activations } = await collect(model, [vector(-1, -2), vector(0, -3)], { ranges: ['made', 'x'] });
    expect(activations.get('made')).toEqual({ min: 0, max: 0 });
    expect(activations.get('x')).toEqual({ min: -3, max: 0 });
    const spread = await collect(model, [vector(-1, -2)], { ranges: ['made'], rangeSource: 'histogram' });
    expect(spread.activations.get('made')!.min).toBe(0);
    expect(spread.activations.get('made')!.max).toBeLessThan(1e-37);
    const constant = await collect(model, [vector(7, 7), vector(7)], { ranges: ['made'] });
    expect(constant.activations.get('made')).toEqual({ min: 7, max: 7 });
  });

  it('are not looked for where nothing is asked', async () => {
    const table = await collect(imageModel(), [{}, {}], {});
    expect(table.sampleCount).toBe(2);
    expect(table.activations.size + table.channelMeans.size).toBe(0);
  });
});

function imageModelAfterInference(opset: number): Model {
  const model = imageModel(opset);
  inferShapes(model);
  return model;
}

describe('memory', () => {
  it('does not grow with the number of samples', async () => {
    // 1 MiB of activations per sample: 400 of them kept would be 400 MiB.
    const builder = new GraphBuilder();
    const x = builder.input('x', ['N', 64, 64, 64]);
    const model = builder.output(builder.op('Relu', [x], { outputs: ['y'] }), undefined).model;
    const feeds = noiseFeeds(model, 1, 1);
    const fresh = await startEngine();
    try {
      const run = (count: number) => {
        const samples = new Array<Feeds>(count).fill(feeds);
        const needs: StatisticsNeeds = {
          ranges: ['x', 'y'],
          rangeSource: 'histogram',
          channelMeans: new Map([['y', 1]]),
        };
        inferShapes(model);
        return collectStatistics(model, datasetOf(samples), needs, { engine: fresh, threads: 1, logger: silentLogger });
      };
      await run(20);
      const before = await fresh.peakMemoryBytes();
      const { sampleCount } = await run(400);
      expect(sampleCount).toBe(400);
      expect((await fresh.peakMemoryBytes()) - before).toBeLessThan(60 * 2 ** 20);
    } finally {
      await fresh.close();
    }
  });
});

describe('values that are no numbers', () => {
  const sources = ['extremes', 'histogram'] as const;
  const message = "the value 'made' is NaN or infinite on calibration samples";

  it.each(sources)('are an error that names the first of them: NaN, from %s', async (rangeSource) => {
    // In the middle of a long row, so that no shortcut of a reduction passes it by chance.
    const row = Array.from({ length: 101 }, (_, i) => (i === 57 ? -1 : 4));
    const run = collect(vectorModel('Sqrt'), [vector(1, 2), vector(...row)], {
      ranges: ['x', 'made', 'y'],
      rangeSource,
      // Where extremes are asked for, the sums of the means are what a NaN cannot hide from.
      channelMeans: rangeSource === 'extremes' ? new Map([['made', 1]]) : new Map(),
    });
    await expect(run).rejects.toMatchObject({ code: 'data-mismatch', message, location: { tensor: 'made' } });
  });

  it.each(sources)('are an error that names the first of them: infinity, from %s', async (rangeSource) => {
    const run = collect(vectorModel('Log'), [vector(1, 0, 2)], { ranges: ['x', 'made', 'y'], rangeSource });
    await expect(run).rejects.toMatchObject({ code: 'data-mismatch', message, location: { tensor: 'made' } });
  });
});

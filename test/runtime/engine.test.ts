import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { roundMedians } from '../../src/evaluation/latency-statistics.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { describeHost } from '../../src/runtime/host.ts';
import { quantileOf } from '../../src/runtime/latency.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import type { ElementArray, NdArray } from '../../src/tensor/nd-array.ts';
import { markRecurring } from '../../src/tensor/recurring-feeds.ts';
import { identityModel, integerMatMulModel, reluModel, reshapeModel, scaleModel } from './tiny-models.ts';

const floats = (dims: number[], values: number[]): NdArray => ({
  dataType: DataType.float32,
  dims,
  data: Float32Array.from(values),
});

async function errorOf(work: Promise<unknown>): Promise<EdgepackError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EdgepackError);
  expect((error as EdgepackError).message).not.toMatch(/\n/);
  return error as EdgepackError;
}

describe('engine', () => {
  let engine: Engine;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgepack-runtime-'));
    engine = await startEngine();
  });
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('tells the version of ONNX Runtime', () => {
    expect(engine.version).toMatch(/^1\.\d+\.\d+$/);
  });

  it('loads a model from a file and describes it', async () => {
    const path = join(folder, 'relu.onnx');
    writeFileSync(path, reluModel());
    const session = await engine.load(path);
    expect(session.inputs).toEqual([{ name: 'x', dataType: DataType.float32, shape: ['N', 2, 4] }]);
    expect(session.outputs.map(({ name }) => name)).toEqual(['y', 'z']);
    await session.release();
    expect((await errorOf(session.run({ x: floats([1, 2, 4], Array(8).fill(1)) }))).code).toBe('engine-failed');
  });

  it('runs, and fetches only what is asked for', async () => {
    const session = await engine.load(reluModel());
    const x = floats([1, 2, 4], [-2, -1, 0, 1, 2, 3, -4, 5]);
    const all = await session.run({ x });
    expect(all.y).toEqual(floats([1, 2, 4], [0, 0, 0, 1, 2, 3, 0, 5]));
    expect(all.z).toEqual(floats([1, 2, 4], [-4, -2, 0, 2, 4, 6, -8, 10]));
    expect(Object.keys(await session.run({ x }, ['z']))).toEqual(['z']);
  });

  it('is sent feeds that come again once, for all its sessions', async () => {
    const [one, two] = [await engine.load(reluModel()), await engine.load(reluModel())];
    const x = floats([1, 2, 4], [-2, -1, 0, 1, 2, 3, -4, 5]);
    const feeds = { x };
    markRecurring(feeds);
    const first = await one.run(feeds);
    // What changes here does not get there any more.
    (x.data as Float32Array).fill(7);
    expect(await two.run(feeds)).toEqual(first);
    await two.collect(feeds, { y: { minMax: {} } });
    expect((await two.statistics()).y?.minMax?.max).toEqual(Float64Array.of(5));
    expect((await one.run({ x })).y).toEqual(floats([1, 2, 4], Array(8).fill(7)));

    const another = await startEngine();
    const session = await another.load(reluModel());
    expect((await session.run(feeds)).y).toEqual(floats([1, 2, 4], Array(8).fill(7)));
    await another.close();
  });

  it('sends only the elements of a view on a larger buffer', async () => {
    const session = await engine.load(reluModel());
    const large = new Float32Array(1000).fill(9);
    const data = large.subarray(501, 509);
    data.set([1, 2, 3, 4, 5, 6, 7, 8]);
    const { y } = await session.run({ x: { dataType: DataType.float32, dims: [1, 2, 4], data } }, ['y']);
    expect(y?.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  });

  it.each<[keyof typeof DataType, ElementArray]>([
    ['float32', Float32Array.of(1.5, -2, Number.POSITIVE_INFINITY)],
    ['float64', Float64Array.of(1e300, -0, 3)],
    ['float16', Uint16Array.of(0x3c00, 0xc000, 0x7bff)],
    ['uint8', Uint8Array.of(0, 255, 7)],
    ['int8', Int8Array.of(-128, 127, 7)],
    ['uint16', Uint16Array.of(0, 65535, 7)],
    ['int16', Int16Array.of(-32768, 32767, 7)],
    ['uint32', Uint32Array.of(0, 4294967295, 7)],
    ['int32', Int32Array.of(-2147483648, 2147483647, 7)],
    ['int64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 7n)],
    ['uint64', BigUint64Array.of(0n, 2n ** 64n - 1n, 7n)],
    ['bool', Uint8Array.of(0, 1, 1)],
  ])('carries %s to the engine and back', async (name, data) => {
    const session = await engine.load(identityModel(DataType[name]));
    const x: NdArray = { dataType: DataType[name], dims: [3], data };
    expect((await session.run({ x })).y).toEqual(x);
    await session.release();
  });

  it('rejects a file that is no model, in one line with its name', async () => {
    const path = join(folder, 'garbage.onnx');
    writeFileSync(path, 'this is\nno model');
    const error = await errorOf(engine.load(path));
    expect(error.code).toBe('model-rejected');
    expect(error.message).toMatch(/^loading garbage\.onnx: .*protobuf/i);
    expect(error.location.file).toBe(path);
  });

  it('names a model file that is not there', async () => {
    expect((await errorOf(engine.load(join(folder, 'absent.onnx')))).code).toBe('file-not-found');
  });

  it.each<[string, Record<string, NdArray>, RegExp]>([
    ['an unknown name', { x: floats([1, 2, 4], Array(8).fill(0)), w: floats([1], [0]) }, /no input 'w'/],
    ['a missing input', {}, /nothing is given for input 'x'/],
    ['a wrong size', { x: floats([1, 3, 4], Array(12).fill(0)) }, /float32 \[1, 3, 4\]/],
    ['a wrong rank', { x: floats([8], Array(8).fill(0)) }, /float32 \[8\]/],
    ['a wrong type', { x: { dataType: DataType.uint8, dims: [1, 2, 4], data: new Uint8Array(8) } }, /uint8/],
    ['too few elements', { x: floats([1, 2, 4], [1, 2]) }, /2 elements for \[1, 2, 4\]/],
  ])('refuses feeds with %s', async (_, feeds, message) => {
    const session = await engine.load(reluModel(), { label: 'relu' });
    const error = await errorOf(session.run(feeds));
    expect(error.code).toBe('data-mismatch');
    expect(error.message).toMatch(message);
    expect(error.hint).toContain("'x' float32 [N, 2, 4]");
  });

  it('refuses to fetch an output that the model does not have', async () => {
    const session = await engine.load(reluModel());
    const x = floats([1, 2, 4], Array(8).fill(0));
    expect((await errorOf(session.run({ x }, ['w']))).message).toContain("no output 'w'");
  });

  it('reports an operator that fails, and goes on', async () => {
    const session = await engine.load(reshapeModel(), { label: 'reshape' });
    const shape = (...dims: bigint[]): NdArray => ({
      dataType: DataType.int64,
      dims: [2],
      data: BigInt64Array.from(dims),
    });
    const x = floats([6], [1, 2, 3, 4, 5, 6]);
    const error = await errorOf(session.run({ x, shape: shape(4n, 4n) }));
    expect(error.code).toBe('model-rejected');
    expect(error.message).toMatch(/^running reshape: .*Reshape/);
    expect((await session.run({ x, shape: shape(2n, 3n) })).y?.dims).toEqual([2, 3]);
  });

  it('computes exactly where asked to, on any host', async () => {
    const [k, n] = [64, 16];
    const b = new Int8Array(k * n).fill(127);
    const a: NdArray = { dataType: DataType.uint8, dims: [1, k], data: new Uint8Array(k).fill(255) };
    const expected = new Int32Array(n).fill(k * 255 * 127);
    const exact = await engine.load(integerMatMulModel(b, k, n), { exact: true });
    expect((await exact.run({ a })).y?.data).toEqual(expected);
    const fast = await engine.load(integerMatMulModel(b, k, n));
    const { data } = (await fast.run({ a })).y!;
    const { saturatesPairs } = describeHost();
    if (saturatesPairs === true) expect(data).not.toEqual(expected);
    if (saturatesPairs === false) expect(data).toEqual(expected);
  });

  it('writes the graph it runs', async () => {
    const path = join(folder, 'optimised.onnx');
    await engine.load(reluModel(), { optimizedModelPath: path, optimization: 'basic' });
    const session = await engine.load(path);
    expect(readFileSync(path).length).toBeGreaterThan(50);
    expect(session.outputs.map(({ name }) => name)).toEqual(['y', 'z']);
  });

  it('profiles each node', async () => {
    const session = await engine.load(reluModel(), { profile: true });
    const x = floats([1, 2, 4], Array(8).fill(1));
    for (let i = 0; i < 3; i++) await session.run({ x });
    const records = await session.endProfiling();
    expect(records.map(({ opType }) => opType).sort()).toEqual(['Add', 'Relu']);
    for (const record of records) {
      expect(record).toMatchObject({ runs: 3, provider: 'CPUExecutionProvider' });
      expect(record.totalMs).toBeGreaterThanOrEqual(0);
      expect(record.outputTypeShapes).toEqual([{ float: [1, 2, 4] }]);
    }
    await session.release();
  });

  it('has no profile of a session that was loaded without', async () => {
    const session = await engine.load(reluModel());
    expect((await errorOf(session.endProfiling())).message).toContain('profile');
  });

  it('compares two sessions without fetching their outputs', async () => {
    const reference = await engine.load(scaleModel(1));
    const candidate = await engine.load(scaleModel(1.1));
    const comparison = engine.compare(reference, candidate, [{ reference: 'y', candidate: 'y' }]);
    await comparison.add({ x: floats([3], [1, 2, 3]) });
    await comparison.add({ x: floats([2], [-4, Number.NaN]) });
    const [result] = await comparison.result();
    expect(result).toMatchObject({ reference: 'y', candidate: 'y', count: 4, nonFiniteCount: 1, referencePower: 30 });
    expect(result?.sqnrDb).toBeCloseTo(20, 4);
    expect(result?.cosineSimilarity).toBeCloseTo(1, 6);
    expect(result?.maxAbsoluteError).toBeCloseTo(0.4, 6);
  });

  it('gives infinity for the signal-to-noise ratio of equal outputs', async () => {
    const session = await engine.load(scaleModel(3));
    const comparison = engine.compare(session, session, [{ reference: 'y', candidate: 'y' }]);
    await comparison.add({ x: floats([2], [1, 2]) });
    expect((await comparison.result())[0]?.sqnrDb).toBe(Number.POSITIVE_INFINITY);
  });

  it('times candidates in the same rounds', async () => {
    const session = await engine.load(scaleModel(2));
    const candidates = [
      { label: 'short', session, feeds: { x: floats([10], Array(10).fill(1)) } },
      { label: 'long', session, feeds: { x: floats([1_000_000], Array(1_000_000).fill(1)) } },
    ];
    const run = await engine.measureLatency(candidates, { rounds: 7, warmup: 2, turnMs: 2 });
    const [short, long] = run.candidates;
    expect([short?.label, long?.label]).toEqual(['short', 'long']);
    expect([run.stopped, run.orders.length]).toEqual(['rounds', 7]);
    expect([short?.roundsMs.length, long?.roundsMs.length]).toEqual([7, 7]);
    for (const { roundsMs } of run.candidates) expect(new Set(roundsMs.map((round) => round.length)).size).toBe(1);
    expect(short!.roundsMs[0]!.length).toBeGreaterThan(long!.roundsMs[0]!.length);
    const medianMs = (measured: typeof short) => quantileOf(roundMedians(measured!.roundsMs), 0.5);
    expect(medianMs(long)).toBeGreaterThan(2 * medianMs(short));
  });

  it('reports its memory', async () => {
    const peakBytes = await engine.peakMemoryBytes();
    expect(peakBytes).toBeGreaterThan(30 * 2 ** 20);
    expect(peakBytes).toBeLessThan(1000 * 2 ** 20);
  });
});

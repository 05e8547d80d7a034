import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { bench, compress, pack } from '../../src/index.ts';
import { benchSchema } from '../../src/report/bench-schema.ts';
import { reshapeModel } from '../runtime/tiny-models.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const conv = join(fixtures, 'digits-conv.onnx');
const data = join(fixtures, 'digits.npz');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-bench-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function failureOf(work: Promise<unknown>): Promise<EdgepackError> {
  return work.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error) => error as EdgepackError,
  );
}

const left = () => readdirSync(tmpdir()).filter((name) => /^edgepack-bench-(?!test|cli)/.test(name)).length;

describe('bench', () => {
  it('times a model beside its .epk and its int8 form, in turns, with profiles', async () => {
    const before = left();
    const output = join(folder, 'out');
    await compress(conv, { data, output, threads: 1, allowSlower: true, cacheFolder: join(folder, 'cache') });
    const epk = join(folder, 'digits-conv.epk');
    await pack(conv, epk);
    const files = [conv, epk, join(output, 'digits-conv.onnx')];
    const options = { data, threads: [1], rounds: 12, maxSeconds: 20, precision: 0, profile: true, seed: 5 };
    const result = await bench(files, options);
    expect(() => benchSchema.parse(result)).not.toThrow();
    expect(result.source.label).toMatch(/^measured on this host \(.+, 1 thread\), not on the target$/);
    expect(result.inputs).toEqual({ kind: 'data', path: data, sizes: {} });
    const labels = ['fixtures/digits-conv.onnx', `${basename(folder)}/digits-conv.epk`, 'out/digits-conv.onnx'];
    expect(result.models.map(({ label }) => label)).toEqual(labels);
    const [first, second] = result.models;
    expect(second!.facts).toEqual({ ...first!.facts, path: epk });
    expect(first!.inputs[0]!.dims[0]).toBe(1);
    for (const { enginePeakBytes, engineIdleBytes } of result.models) {
      expect(engineIdleBytes).toBeGreaterThan(2 ** 24);
      expect(enginePeakBytes).toBeGreaterThan(engineIdleBytes);
    }
    const [measurement] = result.measurements;
    expect(measurement).toMatchObject({ threads: 1, rounds: 12, stopped: 'rounds' });
    for (const place of [0, 1, 2]) {
      const there = measurement!.orders.map((order) => order[place]);
      for (const model of [0, 1, 2]) expect(there.filter((index) => index === model)).toHaveLength(4);
    }
    for (const { median, p90, p99, minMs, maxMs, roundsMs } of measurement!.models) {
      expect(roundsMs).toHaveLength(12);
      expect(median.interval!.low).toBeLessThanOrEqual(median.valueMs);
      expect(median.interval!.high).toBeGreaterThanOrEqual(median.valueMs);
      const ordered = [minMs, median.valueMs, p90.valueMs, p99.valueMs, maxMs];
      expect(ordered).toEqual([...ordered].sort((a, b) => a - b));
      expect(minMs).toBeGreaterThan(0);
    }
    const [original, same] = measurement!.models;
    expect(original!.ratio).toBeNull();
    // The same model twice: whatever the load of this host, the ratio is near 1.
    expect(same!.ratio!.value).toBeGreaterThan(0.7);
    expect(same!.ratio!.value).toBeLessThan(1.4);
    const [floatProfile, , int8Profile] = result.profiles!;
    expect(floatProfile!.shares).toMatchObject({ int8: 0, float: 1 });
    expect(int8Profile!.shares.int8).toBeGreaterThan(0.5);
    expect(int8Profile!.nodes.map(({ opType }) => opType)).toContain('QLinearConv');
    for (const { operators, nodes, nodeCount } of result.profiles!) {
      expect(nodes).toHaveLength(nodeCount);
      for (const parts of [operators, nodes]) {
        expect(parts.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
      }
    }
    expect(left()).toBe(before);
  });

  it('stops when it knows enough, or when time is up, and says which', async () => {
    const quick = { threads: '1', rounds: 1000, target: 'rpi4' };
    const precise = await bench([conv], { ...quick, precision: 50 });
    expect(precise.measurements[0]).toMatchObject({ stopped: 'precision' });
    expect(precise.measurements[0]!.rounds).toBeGreaterThanOrEqual(20);
    const timed = await bench([conv, conv], { ...quick, threads: '1,2', precision: 0, maxSeconds: 0.4 });
    expect(timed.measurements.map(({ threads, stopped }) => [threads, stopped])).toEqual([
      [1, 'time'],
      [2, 'time'],
    ]);
    expect(timed.models.map(({ label }) => label)).toEqual(['digits-conv.onnx', 'digits-conv.onnx (2)']);
    expect(timed.measurements.every(({ rounds }) => rounds >= 5)).toBe(true);
  });

  it('sets open dimensions and says what was taken', async () => {
    const options = { threads: '1', rounds: 5 };
    const result = await bench([conv], { ...options, dim: ['N=3'] });
    expect(result.models[0]!.inputs[0]!.dims[0]).toBe(3);
    expect(result.inputs).toEqual({ kind: 'synthetic', path: null, sizes: { N: 3 } });
    const unknown = await failureOf(bench([conv], { ...options, dim: ['batch=3'] }));
    expect([unknown.exitCode, unknown.message, unknown.hint]).toEqual([
      2,
      '--dim batch: no input has an open dimension of this name',
      'Open dimensions: N.',
    ]);
    const both = await failureOf(bench([conv], { ...options, dim: ['N=3'], data }));
    expect(both.message).toMatch(/^--dim sets sizes of made-up inputs/);
  });

  it('refuses what is no model, and leaves nothing behind', async () => {
    const before = left();
    const bad = join(folder, 'bad.onnx');
    writeFileSync(bad, 'not a model');
    const damaged = join(folder, 'damaged.epk');
    writeFileSync(damaged, Uint8Array.of(0x89, 0x45, 0x50, 0x4b, 1, 2, 3));
    const codes = [];
    for (const path of [join(folder, 'missing.onnx'), folder, bad, damaged]) {
      const { code, exitCode, location } = await failureOf(bench([conv, path]));
      codes.push([code, exitCode, location.file]);
    }
    expect(codes).toEqual([
      ['file-not-found', 2, join(folder, 'missing.onnx')],
      ['file-not-found', 2, folder],
      ['model-unreadable', 3, bad],
      ['epk-unreadable', 3, damaged],
    ]);
    expect((await failureOf(bench([]))).code).toBe('usage');
    expect((await failureOf(bench([conv], { rounds: 0 }))).code).toBe('usage');
    expect(left()).toBe(before);
  });

  it('suggests data where made-up inputs do not suit a model', async () => {
    const path = join(folder, 'reshape.onnx');
    writeFileSync(path, reshapeModel());
    const { code, exitCode, hint, location } = await failureOf(bench([path], { threads: '1', dim: ['N=3'] }));
    expect([code, exitCode, location.file]).toEqual(['model-rejected', 3, path]);
    expect(hint).toMatch(/--dim.*--data/);
  });

  it('ends soon when it is interrupted', async () => {
    const before = left();
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('interrupted')), 1500);
    const start = performance.now();
    const work = bench([conv], { threads: '1', precision: 0, maxSeconds: 60, rounds: 1000 }, { signal: abort.signal });
    const outcome = await work.then(
      ({ measurements }) => measurements[0]!.stopped,
      (error: Error) => error.message,
    );
    // A thousand rounds of a small model may be done before: then there is nothing to interrupt.
    expect(['interrupted', 'rounds']).toContain(outcome);
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(left()).toBe(before);
  });
});

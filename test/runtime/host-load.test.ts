import { cpus } from 'node:os';
import { describe, expect, it } from 'vitest';
import { loadBetween, markLoad, parseCpuTimes, parseProcessMs, readCpuFrequency } from '../../src/runtime/host-load.ts';

describe('parseCpuTimes', () => {
  it('reads the sum over all cores', () => {
    const text = 'cpu  100 10 50 800 20 5 5 10 7 0\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 1\n';
    expect(parseCpuTimes(text)).toEqual({ totalMs: 10_000, busyMs: 1700, stealMs: 100 });
    expect(parseCpuTimes('cpu 1 2\n')).toBeUndefined();
    expect(parseCpuTimes('')).toBeUndefined();
  });
});

describe('parseProcessMs', () => {
  it('is not led astray by the name of the process', () => {
    expect(parseProcessMs('42 (a) b ) c) S 1 1 1 0 -1 0 0 0 0 0 120 30 0 0 20 0')).toBe(1500);
    expect(parseProcessMs('')).toBeUndefined();
  });
});

describe('loadBetween', () => {
  const mark = (totalMs: number, busyMs: number, stealMs: number | undefined, ownMs: number | undefined) => ({
    cpu: { totalMs, busyMs, stealMs },
    logicalCores: cpus().length,
    ownMs,
  });

  it('tells what others did', () => {
    const cores = cpus().length;
    const load = loadBetween(mark(0, 0, 0, 0), mark(1000 * cores, 1500, 10 * cores, 900));
    expect(load).toEqual({ otherBusyCores: 0.6, stealShare: 0.01 });
  });

  it('does not know what the system does not say', () => {
    expect(loadBetween(mark(0, 0, undefined, undefined), mark(1000, 10, undefined, undefined))).toEqual({
      otherBusyCores: undefined,
      stealShare: undefined,
    });
    expect(loadBetween(mark(5, 0, 0, 0), mark(5, 0, 0, 0)).stealShare).toBeUndefined();
    expect(loadBetween({ ...mark(0, 0, 0, 0), cpu: undefined }, mark(5, 0, 0, 0)).otherBusyCores).toBeUndefined();
  });

  it('sees this process work without calling it others', () => {
    const before = markLoad(process.pid);
    const end = performance.now() + 300;
    while (performance.now() < end);
    const after = markLoad(process.pid);
    expect(after.cpu!.busyMs).toBeGreaterThan(before.cpu!.busyMs);
    if (after.ownMs !== undefined) expect(after.ownMs - before.ownMs!).toBeGreaterThan(50);
  });
});

describe('readCpuFrequency', () => {
  it('gives megahertz or nothing', () => {
    const { currentMhz, maxMhz } = readCpuFrequency();
    for (const mhz of [currentMhz, maxMhz]) {
      if (mhz === undefined) continue;
      expect(mhz).toBeGreaterThan(50);
      expect(mhz).toBeLessThan(20_000);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { disturbances, otherBoards, unlikeTarget } from '../../src/pipeline/calibration-obstacles.ts';
import { otherDeviceWarnings } from '../../src/pipeline/other-device.ts';
import type { BenchMeasurement, BenchResult } from '../../src/report/bench-schema.ts';
import { loadTarget } from '../../src/targets/load-target.ts';
import { exampleBench } from '../cli/example-bench.ts';

function benchWith(load: Partial<BenchMeasurement['load']>): BenchResult {
  const result = exampleBench();
  const quiet = {
    loadAverage: 0,
    otherBusyCores: 0,
    stealShare: 0,
    frequencyMhz: { before: 1500, after: 600 },
    temperatureC: { before: 60, after: 85.4 },
    throttling: null,
  };
  return {
    ...result,
    source: { ...result.source, logicalCores: 4 },
    measurements: result.measurements.map((entry) => ({ ...entry, load: { ...quiet, ...load } })),
  };
}

describe('disturbances', () => {
  it('are none of a cool, idle board', () => {
    expect(disturbances(benchWith({}))).toEqual([]);
    expect(disturbances(benchWith({ throttling: { during: [], sinceBoot: ['throttled'] } }))).toEqual([]);
  });

  it.each([
    [{ throttling: { during: ['under-voltage' as const], sinceBoot: [] } }, 'slowed down (under-voltage)'],
    [{ otherBusyCores: 1.2 }, 'kept 1.2 of 4 cores busy'],
    [{ otherBusyCores: null, loadAverage: 2.3 }, 'the load average of 4 cores was 2.3'],
    [{ stealShare: 0.07 }, '7.0 % of the processor time went to other guests'],
  ])('name the cause with the figures: %o', (load, text) => {
    const found = disturbances(benchWith(load));
    expect(found).toHaveLength(exampleBench().measurements.length);
    expect(found[0]).toContain(text);
    expect(found[0]).toContain('60 to 85 °C, 1500 to 600 MHz');
  });
});

describe('unlikeTarget', () => {
  it('compares what a machine says of itself with the target', () => {
    const rpi4 = loadTarget('rpi4');
    expect(unlikeTarget({ architecture: 'arm64', logicalCores: 4 }, rpi4, [1, 4])).toEqual([]);
    const found = unlikeTarget({ architecture: 'x64', logicalCores: 2 }, rpi4, [4]).join();
    expect(found).toMatch(/runs x64 code.*2 of the 4 cores.*4 threads are more than its 2 cores/);
    // Any number of cores will do for a target of any.
    expect(unlikeTarget({ architecture: 'x64', logicalCores: 2 }, loadTarget('generic-x64'), [2])).toEqual([]);
  });
});

describe('otherBoards', () => {
  it('are those that the new calibration would push out', () => {
    expect(otherBoards(undefined, 'a')).toEqual([]);
    const calibration = { profiles: [{ board: 'a' }, { board: 'b' }, { board: 'b' }] };
    expect(otherBoards(calibration as never, 'a')).toEqual(['b']);
  });
});

describe('otherDeviceWarnings', () => {
  it('tells of a device that runs other code than the target', () => {
    const machine = (architecture: string) =>
      ({ address: 'ssh://box', description: { architecture } }) as Parameters<typeof otherDeviceWarnings>[0];
    const [warning] = otherDeviceWarnings(machine('x64'), loadTarget('rpi4'));
    expect(warning?.message).toBe(
      'ssh://box is not a Raspberry Pi 4 Model B: it runs x64 code, and Raspberry Pi 4 Model B arm64; what is measured there is not its latency',
    );
    expect(otherDeviceWarnings(machine('arm64'), loadTarget('rpi4'))).toEqual([]);
  });
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { calibrateTarget, mergeCalibrations } from '../../src/latency/calibrate-target.ts';
import { describeNetwork } from '../../src/latency/describe-network.ts';
import type { LatencyPrediction } from '../../src/latency/predict-latency.ts';
import { predictNetwork } from '../../src/latency/predict-network.ts';
import { referenceNetwork, referenceNetworkNames } from '../../src/latency/reference-networks.ts';
import { calibrationSchema } from '../../src/targets/latency-schema.ts';
import { calibrationFolder, loadLatency } from '../../src/targets/load-latency.ts';
import { loadTarget } from '../../src/targets/load-target.ts';

const setting = {
  engine: 'onnxruntime',
  engineVersion: '1.30.0',
  precision: 'fp32' as const,
  threads: 4,
  cores: 'all' as const,
  osBits: 64 as const,
  board: 'the one on my desk',
  source: 'measured by a test',
};

describe("a user's calibration", () => {
  const network = describeNetwork(referenceNetwork('mixed'));
  const question = { engine: 'onnxruntime', precision: undefined, threads: 4 };

  it.each(['rpi4', 'generic-x64'])('of %s is read from the folder and used before what is built in', (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'edgepack-calibration-'));
    const target = loadTarget(name);
    const before = predictNetwork(loadLatency(target, folder), network, question);
    if (name === 'rpi4') expect(before).toMatchObject({ origin: 'published' });
    else expect(before).toHaveProperty('missing');
    const calibration = calibrateTarget(target, [
      { setting, measurements: [{ features: network.features, latencyMs: 12.5 }] },
    ]);
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(calibration));
    const told = predictNetwork(loadLatency(target, folder), network, question);
    expect(told).toMatchObject({ origin: 'calibrated', source: 'measured by a test', engineVersion: '1.30.0' });
    expect((told as { latencyMs: number }).latencyMs).toBeCloseTo(12.5, 1);
  });

  it('of another device, or a broken one, is an error that names the file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgepack-calibration-'));
    const calibration = calibrateTarget(loadTarget('rpi4'), [
      { setting, measurements: [{ features: network.features, latencyMs: 1 }] },
    ]);
    writeFileSync(join(folder, 'rpi5.json'), JSON.stringify(calibration));
    expect(() => loadLatency(loadTarget('rpi5'), folder)).toThrow(/rpi5\.json is of rpi4, not of rpi5/);
    writeFileSync(join(folder, 'rpi4.json'), JSON.stringify({ ...calibration, extra: 1 }));
    expect(() => loadLatency(loadTarget('rpi4'), folder)).toThrow(/rpi4\.json: unknown key 'extra'/);
  });

  it('in floats and int8 tells int8 models as well, and twins from their originals', () => {
    const target = loadTarget('rpi4');
    const networks = referenceNetworkNames.map((name) => describeNetwork(referenceNetwork(name)));
    const measurements = (factor: number) =>
      networks.map(({ features }, i) => ({ features, latencyMs: factor * (10 + i) }));
    const calibration = calibrateTarget(target, [
      { setting, measurements: measurements(1) },
      { setting: { ...setting, precision: 'int8' }, measurements: measurements(0.5) },
    ]);
    expect(() => calibrationSchema.parse(calibration)).not.toThrow();
    const latency = { profiles: calibration.profiles, transfers: [] };
    const ask = (precision: 'fp32' | 'int8', originalMs?: number) =>
      predictNetwork(latency, network, {
        engine: 'onnxruntime',
        precision,
        threads: 4,
        originalMs,
      }) as LatencyPrediction;
    const [float, int8] = [ask('fp32').latencyMs, ask('int8').latencyMs];
    expect(int8 / float).toBeGreaterThan(0.4);
    expect(int8 / float).toBeLessThan(0.6);
    // A network that took twice as long in floats takes longer in int8 as well.
    const twin = ask('int8', 2 * float);
    expect(twin.latencyMs / int8).toBeGreaterThan(1.3);
    expect(twin.highMs / twin.lowMs).toBeLessThan(ask('int8').highMs / ask('int8').lowMs);
  });

  it('has a band of twins that holds the networks it was made from, however int8 treats each kind', () => {
    // As on a host here: depthwise layers slower in int8, fully connected ones four times as fast.
    const float = { 'products-1x1': 3.2, 'products-3x3': 4.7, depthwise: 0.78, 'fully-connected': 0.31, mixed: 0.89 };
    const int8 = { 'products-1x1': 0.94, 'products-3x3': 1.3, depthwise: 1.3, 'fully-connected': 0.073, mixed: 0.46 };
    const rows = (of: typeof float) =>
      referenceNetworkNames.map((name) => ({
        features: describeNetwork(referenceNetwork(name)).features,
        latencyMs: of[name],
      }));
    const { profiles } = calibrateTarget(loadTarget('rpi4'), [
      { setting, measurements: rows(float) },
      { setting: { ...setting, precision: 'int8' }, measurements: rows(int8) },
    ]);
    for (const name of referenceNetworkNames) {
      const asked = { engine: 'onnxruntime', precision: 'int8' as const, threads: 4, originalMs: float[name] };
      const described = describeNetwork(referenceNetwork(name));
      const told = predictNetwork({ profiles, transfers: [] }, described, asked) as LatencyPrediction;
      expect(told.lowMs, name).toBeLessThanOrEqual(1.001 * int8[name]);
      expect(told.highMs, name).toBeGreaterThanOrEqual(0.999 * int8[name]);
    }
  });

  it('keeps profiles of other settings, but none of another board', () => {
    const target = loadTarget('rpi4');
    const of = (change: object) =>
      calibrateTarget(target, [
        { setting: { ...setting, ...change }, measurements: [{ features: network.features, latencyMs: 10 }] },
      ]);
    const first = of({ source: 'old' });
    const both = mergeCalibrations(of({ threads: 1 }), first);
    expect(both.profiles.map(({ threads }) => threads)).toEqual([1, 4]);
    const again = mergeCalibrations(of({ source: 'new' }), both);
    expect(again.profiles.map(({ threads, source }) => [threads, source])).toEqual([
      [4, 'new'],
      [1, setting.source],
    ]);
    expect(mergeCalibrations(of({ board: 'another' }), both).profiles).toHaveLength(1);
    expect(mergeCalibrations(first, undefined)).toEqual(first);
  });

  it('of another version of the engine widens the interval and says so', () => {
    const target = loadTarget('rpi4');
    const calibration = calibrateTarget(target, [
      { setting, measurements: [{ features: network.features, latencyMs: 10 }] },
    ]);
    const latency = { profiles: calibration.profiles, transfers: [], calibrationPath: '/c/rpi4.json' };
    const ask = (engineVersion: string) =>
      predictNetwork(latency, network, { ...question, engineVersion }) as LatencyPrediction;
    const [same, other] = [ask('1.30.0'), ask('1.31.0')];
    expect(same.widened).toEqual([]);
    expect(same.calibration).toEqual({ path: '/c/rpi4.json', measuredAt: null });
    expect(other.widened.join()).toContain('calibrated with onnxruntime 1.30.0, and this is 1.31.0');
    expect(other.highMs / same.highMs).toBeCloseTo(1.3, 6);
    expect(same.lowMs / other.lowMs).toBeCloseTo(1.3, 6);
  });

  it('leaves what it does not cover to the profiles that are built in', () => {
    const target = loadTarget('rpi4');
    const { profiles } = calibrateTarget(target, [
      { setting: { ...setting, threads: 2 }, measurements: [{ features: network.features, latencyMs: 10 }] },
    ]);
    const latency = { profiles: [...profiles, ...target.latency!.profiles], transfers: target.latency!.transfers };
    expect(predictNetwork(latency, network, question)).toMatchObject({ origin: 'published', calibration: null });
    expect(predictNetwork(latency, network, { ...question, threads: 2 })).toMatchObject({ origin: 'calibrated' });
  });

  it('lies where the platform keeps configurations', () => {
    expect(calibrationFolder({ XDG_CONFIG_HOME: '/c' })).toBe(join('/c', 'edgepack', 'targets'));
    expect(calibrationFolder({ XDG_CONFIG_HOME: 'not/absolute' })).toBe(calibrationFolder({}));
    expect(calibrationFolder({})).toMatch(/\.config.edgepack.targets$/);
  });
});

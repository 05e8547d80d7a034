import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { calibrateTarget } from '../../src/latency/calibrate-target.ts';
import { describeNetwork } from '../../src/latency/describe-network.ts';
import { predictNetwork } from '../../src/latency/predict-network.ts';
import { referenceNetwork } from '../../src/latency/reference-networks.ts';
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

  it('lies where the platform keeps configurations', () => {
    expect(calibrationFolder({ XDG_CONFIG_HOME: '/c' })).toBe(join('/c', 'edgepack', 'targets'));
    expect(calibrationFolder({})).toMatch(/\.config.edgepack.targets$/);
  });
});

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/diagnostics/logger.ts';
import type { Model } from '../../src/ir/model.ts';
import { calibrate, calibrateOn } from '../../src/pipeline/calibrate.ts';
import { calibrateOptionsSchema } from '../../src/pipeline/calibrate-options.ts';
import { describeCalibration } from '../../src/pipeline/describe-calibration.ts';
import { predict, usableLatency } from '../../src/pipeline/predict.ts';
import { writeReferenceModels } from '../../src/pipeline/reference-models.ts';
import { writeCalibration } from '../../src/pipeline/write-calibration.ts';
import { calibrationResultSchema } from '../../src/report/calibration-result-schema.ts';
import { localMachine } from '../../src/runtime/local-machine.ts';
import type { Machine } from '../../src/runtime/machine.ts';
import { calibrationSchema } from '../../src/targets/latency-schema.ts';
import { calibrationPath } from '../../src/targets/load-latency.ts';
import { loadTarget } from '../../src/targets/load-target.ts';
import { GraphBuilder } from '../passes/optimize/graph-builder.ts';

/** Two layers, so that a test measures nothing for long. */
function tinyNetwork(): Model {
  const build = new GraphBuilder();
  const x = build.input('x', [1, 8, 12, 12]);
  const conv = build.op('Conv', [x, build.weight('w', [8, 8, 1, 1])]);
  build.model.graph.outputs.push(build.op('Relu', [conv]));
  return build.model;
}

const networks = [{ name: 'tiny', make: tinyNetwork }];
const here = process.arch === 'arm64' ? 'generic-arm64' : 'generic-x64';
const target = loadTarget(here);
const local = localMachine(silentLogger);
const options = (change: object = {}) =>
  calibrateOptionsSchema.parse({ host: true, threads: [1], maxSeconds: 0.1, force: true, ...change });

function calibrationOf(board: string) {
  const [prior] = loadTarget('rpi4').latency!.profiles;
  const profile = { ...prior!, engine: 'onnxruntime', origin: 'calibrated' as const, board };
  return { calibrationVersion: 1 as const, target: here, profiles: [profile] };
}

/** This host, as if its board had been throttled since the first round. */
function throttledMachine(): Machine {
  let asked = 0;
  return {
    ...local,
    async state(engine) {
      const state = await local.state(engine);
      const now = asked++ === 0 ? [] : (['throttled'] as const);
      return { ...state, board: { temperatureC: 84, throttling: { now, sinceBoot: now } } };
    },
  };
}

describe('calibrate', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgepack-calibrate-'));
    vi.stubEnv('XDG_CONFIG_HOME', folder);
    path = calibrationPath(target);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it('measures floats and int8, writes a calibration, and predictions of both are of it', async () => {
    const result = await calibrateOn(local, target, options(), {}, networks);
    expect(calibrationResultSchema.parse(result)).toEqual(result);
    expect(result.rows.map(({ network, precision }) => [network, precision])).toEqual([
      ['tiny', 'fp32'],
      ['tiny', 'int8'],
    ]);
    expect(result.file).toEqual({ path, isWritten: true, isUsed: true, keptProfiles: 0 });
    const { profiles } = calibrationSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    expect(profiles.map(({ precision, threads, osBits }) => [precision, threads, osBits])).toEqual([
      ['fp32', 1, 64],
      ['int8', 1, 64],
    ]);
    expect(profiles[0]!.measured).toMatchObject({ at: result.source!.measuredAt, networks: [{ network: 'tiny' }] });
    const written = await writeReferenceModels(networks, ['fp32', 'int8'], target, folder);
    for (const precision of ['fp32', 'int8'] as const) {
      const told = (await predict(written[0]!.paths[precision]!, { target: here, threads: 1 })).prediction!;
      expect(told).toMatchObject({ precision, origin: 'calibrated', calibration: { path, ageDays: 0 } });
      const measured = result.rows.find((row) => row.precision === precision)!.latencyMs;
      expect(told.latencyMs / measured).toBeCloseTo(1, 1);
    }
    expect(describeCalibration(target)).toMatchObject({
      path,
      settings: [
        `onnxruntime ${result.source!.engine.version} fp32 1 thread`,
        `onnxruntime ${result.source!.engine.version} int8 1 thread`,
      ],
    });
    // Another number of threads joins it; the same one takes its place.
    const second = await calibrateOn(local, target, options({ precision: 'fp32', threads: [2] }), {}, networks);
    expect(second.file.keptProfiles).toBe(2);
    expect(readdirSync(dirname(path))).toEqual([`${here}.json`]);
  });

  it('ends at once where the board was throttled, with the figures, and writes nothing', async () => {
    const refused = calibrateOn(throttledMachine(), target, options({ force: false, board: 'b' }), {}, networks);
    await expect(refused).rejects.toMatchObject({
      code: 'device-disturbed',
      message: expect.stringMatching(
        /while tiny ran: the board slowed down \(throttled\).*with 1 thread \(84 to 84 °C/,
      ),
    });
    expect(existsSync(dirname(path))).toBe(false);
    const forced = await calibrateOn(throttledMachine(), target, options({ precision: 'fp32' }), {}, networks);
    expect(forced.inSpiteOf.join()).toContain('the board slowed down');
    expect(readFileSync(path, 'utf8')).toContain('in spite of this host, while tiny ran: the board slowed down');
  });

  it('refuses machines that are not the target, and what is in the way, before anything is measured', async () => {
    const machine: Machine = { ...local, startEngine: () => Promise.reject(new Error('measured')) };
    const other = loadTarget(process.arch === 'arm64' ? 'n100' : 'rpi4');
    const strict = { force: false, precision: 'fp32' };
    const start = (of = target, change: object = {}) =>
      calibrateOn(machine, of, options({ ...strict, ...change }), {}, networks);
    await expect(start(other)).rejects.toMatchObject({ code: 'device-unsuitable' });
    await expect(start(target, { threads: [999] })).rejects.toThrow(/999 threads are more than its/);
    await expect(start(other, { force: true })).rejects.toThrow('measured');
    await expect(start()).rejects.toThrow('measured');
    writeCalibration(path, calibrationOf('the old one'));
    const before = readFileSync(path, 'utf8');
    await expect(start()).rejects.toMatchObject({
      code: 'output-exists',
      message: expect.stringContaining('the old one'),
    });
    await expect(start(target, { board: 'the old one' })).rejects.toThrow('measured');
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('neither adds to a damaged file nor stops others from working', async () => {
    mkdirSync(dirname(path), { recursive: true });
    for (const damaged of ['{"calibrationVersion": 1', '[]', JSON.stringify({ calibrationVersion: 2 })]) {
      writeFileSync(path, damaged);
      await expect(calibrate(here, { host: true })).rejects.toMatchObject({ code: 'output-exists' });
      expect(readFileSync(path, 'utf8')).toBe(damaged);
      expect(() => describeCalibration(target)).toThrow(new RegExp(`calibration .*${here}\\.json`));
      expect(usableLatency(target)).toMatchObject({ latency: target.latency, problem: expect.stringContaining(path) });
    }
    await calibrateOn(local, target, options({ precision: 'fp32' }), {}, networks);
    expect(describeCalibration(target)!.settings).toHaveLength(1);
  });

  it('leaves an earlier file as it is where it cannot write, or was interrupted', async () => {
    writeFileSync(join(folder, 'file'), '');
    const inFile = options({ precision: 'fp32', output: join(folder, 'file', 'x', 'c.json') });
    await expect(calibrateOn(local, target, inFile, {}, networks)).rejects.toMatchObject({ code: 'output-unwritable' });
    const abort = new AbortController();
    const machine: Machine = {
      ...local,
      async state(engine) {
        abort.abort(new Error('interrupted'));
        return local.state(engine);
      },
    };
    const interrupted = calibrateOn(
      machine,
      target,
      options({ precision: 'fp32' }),
      { signal: abort.signal },
      networks,
    );
    await expect(interrupted).rejects.toThrow('interrupted');
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('plans without reaching for anything, and wants one place to measure', async () => {
    const plan = await calibrate('rpi4', { device: 'ssh://nowhere.invalid', dryRun: true });
    expect(plan).toMatchObject({ source: null, threads: [4], rows: [], file: { isWritten: false, isUsed: true } });
    expect(calibrationResultSchema.parse(plan)).toEqual(plan);
    for (const wrong of [{}, { host: true, device: 'ssh://a' }, { host: true, sshConfig: 'c' }, { device: 'pi@a' }]) {
      await expect(calibrate('rpi4', wrong)).rejects.toMatchObject({ code: 'usage' });
    }
    await expect(calibrate('toaster', { host: true })).rejects.toMatchObject({ code: 'target' });
  });
});

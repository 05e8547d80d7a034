import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanDevice, connectDevice, type DeviceOptions } from '../../src/device/connect-device.ts';
import { silentLogger } from '../../src/diagnostics/logger.ts';
import { pairedLatencyRatio } from '../../src/evaluation/latency-statistics.ts';
import { syntheticFeeds } from '../../src/evaluation/synthetic-feeds.ts';
import { describeNetwork } from '../../src/latency/describe-network.ts';
import type { LatencyPrediction } from '../../src/latency/predict-latency.ts';
import { predictNetwork } from '../../src/latency/predict-network.ts';
import {
  type ReferenceNetworkName,
  referenceNetwork,
  referenceNetworkNames,
} from '../../src/latency/reference-networks.ts';
import { benchOn } from '../../src/pipeline/bench.ts';
import { benchOptionsSchema } from '../../src/pipeline/bench-options.ts';
import { calibrateOn } from '../../src/pipeline/calibrate.ts';
import { calibrateOptionsSchema } from '../../src/pipeline/calibrate-options.ts';
import { benchSession } from '../../src/pipeline/try-model.ts';
import { benchSchema } from '../../src/report/bench-schema.ts';
import { calibrationResultSchema } from '../../src/report/calibration-result-schema.ts';
import { localMachine } from '../../src/runtime/local-machine.ts';
import type { Machine } from '../../src/runtime/machine.ts';
import { readCalibration } from '../../src/targets/load-latency.ts';
import { loadTarget } from '../../src/targets/load-target.ts';
import { buildPackage } from './build-package.ts';
import { externalModel } from './external-model.ts';
import { hasSshServer, SshServer } from './ssh-server.ts';

const model = fileURLToPath(new URL('../../fixtures/digits-conv.onnx', import.meta.url));

const STARTS = 6;
const TURNS = 20;

describe.skipIf(!hasSshServer)('a device over ssh', () => {
  let server: SshServer;
  let built: string;
  let folder: string;
  let options: DeviceOptions;
  beforeAll(async () => {
    built = await buildPackage();
    folder = mkdtempSync(join(tmpdir(), 'bench-device-'));
    server = await SshServer.start();
    options = { device: server.device(), sshConfig: server.clientConfig, builtFolder: built };
  });
  afterAll(async () => {
    await server?.stop();
    for (const path of [built, folder]) if (path !== undefined) rmSync(path, { recursive: true, force: true });
  });

  it('is measured on as this host is, and keeps only what is cached', async () => {
    // Of another version of edgepack, long ago.
    const forgotten = join(server.edgepackFolder, 'e'.repeat(64));
    mkdirSync(forgotten, { recursive: true });
    utimesSync(forgotten, 1e9, 1e9);
    const machine = await connectDevice(options);
    const result = await benchOn(
      machine,
      [model],
      benchOptionsSchema.parse({ threads: [1], rounds: 6, profile: true }),
    );
    await machine.close();
    expect(() => benchSchema.parse(result)).not.toThrow();
    expect(result.source).toMatchObject({ kind: 'device', address: `ssh://127.0.0.1:${server.port}` });
    expect(JSON.stringify(result)).not.toContain(`${server.user}@`);
    expect(result.profiles![0]!.nodeCount).toBeGreaterThan(3);
    expect(server.leftovers()).toEqual([]);
    expect(server.remoteProcesses()).toEqual([]);
    expect(server.cached().map((name) => name.replace(/^[0-9a-f]{64}$/, 'runtime'))).toEqual([
      'runtime',
      'models',
      'runs',
    ]);
  });

  it('has models with data files copied, and nothing twice', async () => {
    const path = externalModel(folder);
    const feedsOf = async (machine: Machine) => {
      const engine = await machine.startEngine();
      const session = await engine.load(path);
      const outputs = await session.run(syntheticFeeds(session.inputs, 1, {}));
      await engine.close();
      return outputs;
    };
    const machine = await connectDevice(options);
    const there = await feedsOf(machine);
    expect(await feedsOf(machine)).toEqual(there);
    await machine.close();
    expect(await feedsOf(localMachine(silentLogger))).toEqual(there);
  });

  it('is brought a Node.js where it has none', async ({ skip }) => {
    // All programs of this host but Node.js.
    const programs = join(folder, 'bin');
    mkdirSync(programs);
    for (const from of ['/usr/bin', '/bin']) {
      for (const name of readdirSync(from)) {
        if (/^(node|nodejs)$/.test(name) || existsSync(join(programs, name))) continue;
        symlinkSync(join(from, name), join(programs, name));
      }
    }
    const bare = await SshServer.start({ PATH: programs });
    try {
      const to = { ...options, device: bare.device(), sshConfig: bare.clientConfig };
      const machine = await connectDevice(to).catch((error: Error) => {
        if (/npm could not fetch/.test(error.message)) skip('npm has no way to the registry');
        throw error;
      });
      expect(machine.nodeVersion).toBe('22.23.3');
      const engine = await machine.startEngine();
      expect((await engine.load(model)).inputs).toHaveLength(1);
      await machine.close();
      expect(bare.leftovers()).toEqual([]);
    } finally {
      await bare.stop();
    }
  });

  it('is given up where nothing answers, also behind a proxy that does not end', async () => {
    const proxy = 'ProxyCommand sh -c "sleep 40; exit"';
    const sshConfig = server.configWith('proxy.conf', ['Host *', proxy]);
    const started = performance.now();
    const failure = connectDevice({ ...options, sshConfig, silenceMs: 1000 });
    await expect(failure).rejects.toMatchObject({ code: 'device-unreachable' });
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('calibrates a target with all reference networks, and predictions are of it', async () => {
    const target = loadTarget(process.arch === 'arm64' ? 'generic-arm64' : 'generic-x64');
    const output = join(folder, 'calibration.json');
    const machine = await connectDevice(options);
    // This host may be busy, which a board must not be.
    const calibrating = calibrateOptionsSchema.parse({
      device: options.device,
      threads: [1],
      maxSeconds: 0.6,
      output,
      force: true,
    });
    const started = performance.now();
    const result = await calibrateOn(machine, target, calibrating);
    await machine.close();
    expect(performance.now() - started).toBeLessThan(120_000);
    expect(calibrationResultSchema.parse(result)).toEqual(result);
    expect(result.rows).toHaveLength(2 * referenceNetworkNames.length);
    expect(result.source).toMatchObject({ kind: 'device', address: `ssh://127.0.0.1:${server.port}` });
    expect(server.leftovers()).toEqual([]);
    const calibration = readCalibration(target, output)!;
    expect(JSON.stringify(calibration)).not.toContain(`${server.user}@`);
    const latency = { profiles: calibration.profiles, transfers: [] };
    for (const { network, precision, latencyMs } of result.rows) {
      const described = describeNetwork(referenceNetwork(network as ReferenceNetworkName));
      const told = predictNetwork(latency, described, { engine: 'onnxruntime', precision, threads: 1 });
      expect(told).toMatchObject({ origin: 'calibrated', precision });
      // Measured in a hurry on a host that does other things as well: no bar for errors, but far from another board's.
      expect(Math.abs(Math.log((told as LatencyPrediction).latencyMs / latencyMs))).toBeLessThan(Math.log(4));
    }
  });

  it('is left alone by cleaning while a run is under way, and emptied afterwards', async () => {
    const machine = await connectDevice(options);
    expect(await cleanDevice(options)).toBe(false);
    expect(existsSync(server.edgepackFolder)).toBe(true);
    await machine.close();
    expect(await cleanDevice(options)).toBe(true);
    expect(existsSync(server.edgepackFolder)).toBe(false);
  });

  it('gives figures that differ from those of this host as two processes here differ', async () => {
    const device = await connectDevice(options);
    const here = localMachine(silentLogger);
    const prepare = async (machine: Machine) => {
      const engine = await machine.startEngine();
      const session = await engine.load(model, benchSession(1));
      const feeds = syntheticFeeds(session.inputs, 1, {});
      const schedule = { rounds: 1, minRounds: 1, turnMs: 20, warmup: 2 };
      const rounds: Float64Array[] = [];
      return {
        rounds,
        turn: async () => {
          const { candidates } = await engine.measureLatency([{ label: 'model', session, feeds }], schedule);
          rounds.push(...candidates[0]!.roundsMs);
        },
        close: () => engine.close(),
      };
    };
    // Memory lies differently in every process, so each has several of them; all in turns, so that what else this machine
    // does happens to all.
    const logRatios = { device: [] as number[], host: [] as number[] };
    for (let start = 0; start < STARTS; start++) {
      const engines = [await prepare(here), await prepare(here), await prepare(device)] as const;
      for (const order of Array.from({ length: TURNS }, (_, i) => [i % 3, (i + 1) % 3, (i + 2) % 3])) {
        for (const index of order) await engines[index]!.turn();
      }
      for (const engine of engines) await engine.close();
      const [first, second, there] = engines.map(({ rounds }) => rounds);
      logRatios.host.push(Math.log(pairedLatencyRatio(second!, first!, { seed: 1 }).ratio));
      logRatios.device.push(Math.log(pairedLatencyRatio(there!, first!, { seed: 1 }).ratio));
    }
    await device.close();
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(mean(logRatios.host.map((value) => value ** 2)));
    const text = (values: readonly number[]) => values.map((value) => Math.exp(value).toFixed(3)).join(' ');
    console.log(`device over host: ${text(logRatios.device)}; host over host: ${text(logRatios.host)}`);
    expect(Math.abs(mean(logRatios.device))).toBeLessThan(0.02 + (3 * spread) / Math.sqrt(STARTS));
  });
});

import { join } from 'node:path';
import { cleanDevice, connectDevice, type DeviceOptions } from '../device/connect-device.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { silentLogger } from '../diagnostics/logger.ts';
import { checkValue } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import type { BenchResult } from '../report/bench-schema.ts';
import { localMachine } from '../runtime/local-machine.ts';
import type { Machine } from '../runtime/machine.ts';
import { TemporaryFolder } from '../storage/temporary-folder.ts';
import { loadTarget } from '../targets/load-target.ts';
import type { RunContext } from './api-types.ts';
import { type BenchOptions, benchOptionsSchema, type ResolvedBenchOptions } from './bench-options.ts';
import { measurementWarnings } from './bench-warnings.ts';
import { engineThreads } from './engine-threads.ts';
import { deviceLabel, hostLabel } from './host-label.ts';
import { BENCH_TURN_MS, measureModels } from './measure-models.ts';
import { benchLabels, openBenchModel, openDimensions } from './open-bench-model.ts';
import { otherDeviceWarnings } from './other-device.ts';
import { packageVersion } from './package-version.ts';
import { tryModel } from './try-model.ts';

/**
 * Times models on this host, or on a device, in turns, each `.onnx` or `.epk`: medians and tails with intervals, each model's time in
 * relation to the first one's, memory, and where asked which nodes take the time.
 *
 * @example
 * const { measurements } = await bench(['model.onnx', 'out/model.onnx'], { threads: [1, 4] });
 * measurements[0].models[1].ratio; // { value: 0.56, interval: { low: 0.55, high: 0.58 } }
 * @throws EdgepackError for wrong options, missing and unreadable models, models that the engine refuses, and devices that
 * cannot be measured on.
 */
export async function bench(
  files: readonly string[],
  options: BenchOptions = {},
  context: RunContext = {},
): Promise<BenchResult> {
  const resolved = checkValue(options, benchOptionsSchema, 'usage', 'bench');
  const { logger = silentLogger, signal } = context;
  const { device, sshConfig, clean } = resolved;
  if (device === undefined) {
    if (!clean && sshConfig === undefined) return benchOn(localMachine(logger), files, resolved, context);
    throw new EdgepackError('usage', `${clean ? '--clean' : '--ssh-config'} is about a device, and none is given`, {
      hint: 'Add --device ssh://user@host',
    });
  }
  const connect = { device, sshConfig, logger, signal };
  requireFiles(files);
  const machine = await connectDevice(connect);
  try {
    const result = await benchOn(machine, files, resolved, context);
    // The default is a stand-in that only gives the number of threads.
    const other = options.target === undefined ? [] : otherDeviceWarnings(machine, loadTarget(options.target));
    return { ...result, warnings: [...other, ...result.warnings] };
  } finally {
    await machine.close();
    // Also after an interrupt; and what ended the run is what is told.
    if (clean) {
      await cleanDevice({ device, sshConfig }).then(
        (done) => tellCleaned(done, machine.address, logger),
        (error: Error) => logger.warn(`nothing was removed from the device: ${printable(error.message, 300)}`),
      );
    }
  }
}

/** Removes all that edgepack keeps on a device. @returns false where a run is under way there, and nothing is removed. */
export async function cleanDeviceCache(
  options: BenchOptions,
  { logger = silentLogger, signal }: RunContext = {},
): Promise<boolean> {
  const { device, sshConfig } = checkValue(options, benchOptionsSchema, 'usage', 'bench');
  if (device === undefined) throw new EdgepackError('usage', 'bench: no device is given');
  const done = await cleanDevice({ device, sshConfig, logger, signal });
  tellCleaned(done, device, logger);
  return done;
}

/** Times models on a machine that is there, as {@link bench} does. */
export async function benchOn(
  machine: Machine,
  files: readonly string[],
  resolved: ResolvedBenchOptions,
  { logger = silentLogger, signal, commandLine }: RunContext = {},
): Promise<BenchResult> {
  requireFiles(files);
  if (resolved.data !== undefined && resolved.dim.length > 0) {
    throw new EdgepackError('usage', '--dim sets sizes of made-up inputs; with --data the sample has its own', {
      hint: 'Leave out one of both.',
    });
  }
  const target = loadTarget(resolved.target);
  const host = machine.description;
  const threadCounts = threadsOf(resolved) ?? [engineThreads(undefined, target, host)];
  const warnings: BenchResult['warnings'] = [];
  if (resolved.threads === undefined && threadCounts[0]! < target.threads) {
    const message = `${target.displayName} runs ${target.threads} threads, ${machine.address ?? 'this host'} has ${host.logicalCores} cores: measured with ${threadCounts[0]}`;
    warnings.push({ code: 'threads-capped', message });
  }
  const folder = new TemporaryFolder();
  try {
    const loading = logger.progress('Loading models', files.length);
    const labels = benchLabels(files);
    const models = [];
    for (const [i, file] of files.entries()) {
      models.push(await openBenchModel(file, labels[i]!, join(folder.path, String(i)), resolved));
      signal?.throwIfAborted();
    }
    const tried = [];
    for (const [i, model] of models.entries()) {
      tried.push(await tryModel(model, { machine, threads: threadCounts[0]!, profile: resolved.profile, signal }));
      loading.update(i + 1);
    }
    loading.done();
    const assumed = models.find((model) => model.preprocessAssumed !== undefined)?.preprocessAssumed;
    if (assumed !== undefined) {
      const message = `nobody said how images become inputs, so this was assumed: ${assumed}; set --preprocess`;
      warnings.push({ code: 'preprocess-assumed', message });
    }
    const synthetic = resolved.data === undefined;
    const open = synthetic
      ? openDimensions(
          tried.map(({ inputs }) => inputs),
          resolved,
        )
      : [];
    warnings.push(...sizeWarnings(open));
    const engine = await machine.startEngine();
    try {
      const measurements = [];
      let leftMs = resolved.maxSeconds * 1000;
      for (const [i, threads] of threadCounts.entries()) {
        const maxSeconds = Math.max(0.05, leftMs / 1000 / (threadCounts.length - i));
        const measured = await measureModels(engine, models, {
          ...resolved,
          machine,
          threads,
          maxSeconds,
          logger,
          signal,
        });
        leftMs -= measured.elapsedMs;
        measurements.push(measured);
        warnings.push(...measurementWarnings(measured, host.logicalCores));
      }
      const { governor, maxMhz } = (await machine.state(engine)).frequency;
      if (governor !== undefined && governor !== 'performance') {
        const message = `the frequency governor is ${printable(governor, 40)}: short runs may be timed at a low frequency; performance is steadier`;
        warnings.push({ code: 'governor', message });
      }
      return {
        benchVersion: 1,
        tool: { name: 'edgepack', version: packageVersion },
        source: {
          kind: machine.address === undefined ? 'host' : 'device',
          address: machine.address ?? null,
          label:
            machine.address === undefined
              ? hostLabel(host.cpuName, threadCounts)
              : deviceLabel(machine.address, host.cpuName, threadCounts),
          cpu: host.cpuName,
          architecture: host.architecture,
          platform: host.platform,
          logicalCores: host.logicalCores,
          physicalCores: host.physicalCores ?? null,
          memoryBytes: host.memoryBytes,
          governor: governor ?? null,
          maxFrequencyMhz: maxMhz ?? null,
          engine: { name: 'onnxruntime', version: engine.version, executionProvider: 'CPUExecutionProvider' },
        },
        target: { name: target.name, displayName: target.displayName },
        inputs: {
          kind: synthetic ? 'synthetic' : 'data',
          path: resolved.data ?? null,
          sizes: Object.fromEntries(open.filter(({ name }) => name !== '').map(({ name, size }) => [name, size])),
        },
        models: tried.map(({ record }) => record),
        schedule: {
          warmup: resolved.warmup,
          maxRounds: resolved.rounds,
          maxSeconds: resolved.maxSeconds,
          precisionPercent: resolved.precision,
          turnMs: BENCH_TURN_MS,
          seed: resolved.seed,
        },
        measurements,
        profiles: resolved.profile ? tried.flatMap(({ profile }) => profile ?? []) : null,
        warnings,
        versions: { node: machine.nodeVersion, onnxruntime: engine.version, edgepack: packageVersion },
        commandLine: commandLine ?? null,
      };
    } finally {
      await engine.close();
    }
  } finally {
    folder.remove();
  }
}

function requireFiles(files: readonly string[]): void {
  if (files.length === 0) throw new EdgepackError('usage', 'bench: no model is given');
}

function tellCleaned(done: boolean, address: string, logger: DeviceOptions['logger']): void {
  if (done) logger?.info(`${printable(address, 100)}: removed what edgepack had cached there`);
  else logger?.warn(`${printable(address, 100)}: another run is under way there, so nothing was removed`);
}

function threadsOf({ threads }: ResolvedBenchOptions): readonly number[] | undefined {
  if (threads === undefined) return undefined;
  return [...new Set(typeof threads === 'string' ? threads.split(',').map(Number) : threads)];
}

/** Says which sizes were taken for dimensions that nobody named: they decide what is measured. */
function sizeWarnings(open: ReturnType<typeof openDimensions>): BenchResult['warnings'] {
  const taken = open.filter(({ asked, size }) => !asked && size !== 1);
  if (taken.length === 0) return [];
  const named = taken.filter(({ name }) => name !== '').map(({ name, size }) => `${printable(name, 40)}=${size}`);
  const unnamed = named.length < taken.length ? ['dimensions without a name=32'] : [];
  const hint =
    named.length > 0
      ? `; set them with --dim ${named[0]!.slice(0, named[0]!.lastIndexOf('='))}=<size>, or give --data`
      : '; give --data';
  const message = `sizes were assumed for open dimensions: ${[...named, ...unnamed].join(', ')}${hint}`;
  return [{ code: 'open-dimensions', message }];
}

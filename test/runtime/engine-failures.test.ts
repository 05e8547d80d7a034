import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { silentLogger } from '../../src/diagnostics/logger.ts';
import { type Engine, type EngineOptions, startEngine } from '../../src/runtime/engine.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import type { Feeds } from '../../src/tensor/nd-array.ts';
import { loopModel, scaleModel, zerosModel } from './tiny-models.ts';

const forEver: Feeds = {
  trips: { dataType: DataType.int64, dims: [], data: BigInt64Array.of(2n ** 62n) },
  x: { dataType: DataType.float32, dims: [], data: Float32Array.of(1) },
};
const two: Feeds = { x: { dataType: DataType.float32, dims: [1], data: Float32Array.of(2) } };

async function errorOf(work: Promise<unknown>): Promise<EdgepackError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EdgepackError);
  expect((error as EdgepackError).message).not.toMatch(/\n/);
  expect((error as EdgepackError).hint).toBeTruthy();
  return error as EdgepackError;
}

async function isGone(processId: number, withinMs = 5000): Promise<boolean> {
  for (const endMs = Date.now() + withinMs; Date.now() < endMs; ) {
    try {
      process.kill(processId, 0);
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return false;
}

describe('an engine that fails', () => {
  const engines: Engine[] = [];
  async function start(options: EngineOptions = {}): Promise<Engine> {
    const engine = await startEngine(options);
    engines.push(engine);
    return engine;
  }
  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.close();
  });

  it('is reported as killed, with the model it was running', async () => {
    const engine = await start();
    const session = await engine.load(loopModel(), { label: 'loop.onnx' });
    const error = errorOf(session.run(forEver));
    const queued = errorOf(session.run(forEver));
    setTimeout(() => process.kill(engine.processId, 'SIGKILL'), 100);
    expect((await error).code).toBe('engine-failed');
    expect((await error).message).toMatch(/^running loop\.onnx: /);
    expect((await queued).code).toBe('engine-failed');
    const later = await errorOf(engine.load(scaleModel(1)));
    expect(later.code).toBe('engine-failed');
  });

  it.skipIf(process.platform === 'win32')('is reported as crashed, with the signal', async () => {
    const engine = await start();
    const session = await engine.load(loopModel(), { label: 'loop.onnx' });
    const error = errorOf(session.run(forEver));
    setTimeout(() => process.kill(engine.processId, 'SIGSEGV'), 100);
    expect((await error).message).toBe('running loop.onnx: its process crashed (SIGSEGV)');
  });

  it('is ended when it does not answer in time', async () => {
    const engine = await start({ timeoutMs: 3000 });
    const session = await engine.load(loopModel(), { label: 'loop.onnx' });
    const error = await errorOf(session.run(forEver));
    expect(error.code).toBe('engine-failed');
    expect(error.message).toBe('running loop.onnx: no answer within 3 s');
    expect(await isGone(engine.processId)).toBe(true);
  });

  it('is ended when it takes too much memory', async () => {
    const debug: string[] = [];
    const logger = { ...silentLogger, debug: (message: string) => void debug.push(message) };
    const engine = await start({ memoryLimitBytes: 600 * 2 ** 20, logger });
    const session = await engine.load(zerosModel(), { label: 'zeros.onnx' });
    const shape = (count: bigint): Feeds => ({
      shape: { dataType: DataType.int64, dims: [1], data: BigInt64Array.of(count) },
    });
    expect((await session.run(shape(1000n))).y?.dims).toEqual([1000]);
    const error = await errorOf(session.run(shape(2n ** 29n)));
    expect(error.code).toBe('engine-failed');
    expect(error.message).toMatch(/^running zeros\.onnx: it took \d+ MiB of memory where the limit is 600 MiB$/);
    expect(debug.join()).toContain('memory exceeded');
  });

  it('is reported when an allocation is refused', async () => {
    const engine = await start();
    const session = await engine.load(zerosModel(), { label: 'zeros.onnx' });
    const shape = { dataType: DataType.int64, dims: [1], data: BigInt64Array.of(2n ** 52n) };
    const error = await errorOf(session.run({ shape }));
    expect(error.code).toBe('engine-failed');
    expect(error.message).toMatch(/^running zeros\.onnx: /);
  });

  it('is missing: the error says how to install it', async () => {
    const error = await errorOf(startEngine({ enginePackage: 'onnxruntime-node-that-is-not-there' }));
    expect(error.code).toBe('engine-missing');
    expect(error.exitCode).toBe(2);
    expect(error.hint).toContain('npm install --ignore-scripts onnxruntime-node');
  });

  it('is missing as well where the package is something else', async () => {
    expect((await errorOf(startEngine({ enginePackage: 'chalk' }))).code).toBe('engine-missing');
  });

  it('answers nothing after it has been closed, and tells its peak memory still', async () => {
    const engine = await start();
    const session = await engine.load(scaleModel(1));
    await engine.close();
    await engine.close();
    expect(await isGone(engine.processId)).toBe(true);
    expect((await errorOf(session.run(two))).code).toBe('engine-failed');
    expect(await engine.peakMemoryBytes()).toBeGreaterThan(2 ** 20);
  });

  it('rejects what is under way when it is closed', async () => {
    const engine = await start();
    const session = await engine.load(loopModel(), { label: 'loop.onnx' });
    const error = errorOf(session.run(forEver));
    await engine.close();
    expect((await error).message).toBe('running loop.onnx: the engine has been closed');
    expect(await isGone(engine.processId)).toBe(true);
  });
});

describe("the engine's parent", () => {
  function startScript(name: string, ...args: string[]): ChildProcess {
    const path = fileURLToPath(new URL(name, import.meta.url));
    return spawn(process.execPath, [...process.execArgv, path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  }
  async function firstLine(parent: ChildProcess): Promise<string> {
    const [text] = (await once(parent.stdout!, 'data')) as [Buffer];
    return text.toString().trim();
  }

  it.each(['idle', 'busy'])('takes an %s engine with it when it is killed', async (state) => {
    const parent = startScript('./start-engine-and-wait.ts', state);
    const processId = Number(await firstLine(parent));
    expect(await isGone(processId, 1)).toBe(false);
    parent.kill('SIGKILL');
    expect(await isGone(processId)).toBe(true);
  });

  it('can end without closing the engine', async () => {
    const parent = startScript('./start-engine-and-leave.ts');
    const ended = once(parent, 'exit');
    const [processId, result] = (await firstLine(parent)).split(' ').map(Number);
    expect(result).toBe(42);
    expect((await ended)[0]).toBe(0);
    expect(await isGone(processId!)).toBe(true);
  });
});

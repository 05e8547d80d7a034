import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { openEngineProcess } from '../../runtime/engine.ts';
import type { EngineProcess } from '../../runtime/engine-process.ts';
import { describeHost } from '../../runtime/host.ts';
import { machineState } from '../../runtime/machine-state.ts';
import type { Requests } from '../../runtime/protocol.ts';
import type { DeviceFailure, DeviceRequestKind, DeviceRequests } from './device-protocol.ts';
import type { ModelCache } from './model-cache.ts';

type Answers = { [K in DeviceRequestKind]: (ask: DeviceRequests[K]['ask']) => Promise<DeviceRequests[K]['answer']> };

/** What runs on a device between the connection and the engine's processes. */
export class Agent {
  readonly #engines = new Map<number, EngineProcess>();
  readonly #models: ModelCache;
  #nextEngineId = 1;

  constructor(models: ModelCache) {
    this.#models = models;
  }

  async answer<K extends DeviceRequestKind>(kind: K, ask: DeviceRequests[K]['ask']): Promise<unknown> {
    const answers: Answers = {
      describe: async () => ({ description: describeHost(), nodeVersion: process.versions.node }),
      state: async ({ engineId }) => machineState(this.#engineOf(engineId).processId),
      openModel: async ({ files }) => ({ path: (await this.#models.open(files)) ?? null }),
      putPiece: async ({ file, bytes }) => {
        this.#models.put(file, bytes);
        return undefined;
      },
      closeModel: async () => ({ path: await this.#models.close() }),
      startEngine: async () => {
        const { process: engine, version } = await openEngineProcess({});
        const engineId = this.#nextEngineId++;
        this.#engines.set(engineId, engine);
        return { engineId, version, processId: engine.processId };
      },
      request: async ({ engineId, kind: engineKind, ask: engineAsk, subject }) =>
        this.#engineOf(engineId).request(engineKind, engineAsk as Requests[typeof engineKind]['ask'], subject),
      closeEngine: async ({ engineId }) => {
        const engine = this.#engineOf(engineId);
        this.#engines.delete(engineId);
        await engine.close();
        return undefined;
      },
    };
    if (!Object.hasOwn(answers, kind)) throw new Error('the host asks for something unknown');
    return answers[kind](ask);
  }

  /** Ends all engines. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#engines.values(), (engine) => engine.close()));
  }

  #engineOf(engineId: number): EngineProcess {
    const engine = this.#engines.get(engineId);
    if (engine === undefined) throw new EdgepackError('engine-failed', 'the engine on the device has been closed');
    return engine;
  }
}

/** What the host is told of a failure. */
export function failureOf(error: unknown): DeviceFailure {
  if (error instanceof EdgepackError) {
    const { code, message, hint } = error;
    return { code, message, ...(hint === undefined ? {} : { hint }) };
  }
  const { code, message = String(error) } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return {
      code: 'device-unsuitable',
      message: 'the device has no space left for the models',
      hint: 'Free some space there, or remove what edgepack has cached: "edgepack bench --device … --clean"',
    };
  }
  return { code: 'device-failed', message: `on the device: ${message}` };
}

import { accessSync, constants } from 'node:fs';
import { totalmem } from 'node:os';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { type Logger, silentLogger } from '../diagnostics/logger.ts';
import { printable } from '../diagnostics/printable.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import { checkFeeds } from './check-feeds.ts';
import type { EngineChannel } from './engine-channel.ts';
import { EngineProcess } from './engine-process.ts';
import { EngineSession } from './engine-session.ts';
import type { LatencyCandidate, LatencyOptions, LatencyRun } from './latency.ts';
import { measureLatency } from './measure-latency.ts';
import type { EngineLimits } from './protocol.ts';
import type { Session, SessionOptions } from './session.ts';
import type { ComparisonStatistics, OutputPair } from './statistics.ts';

export type { EngineLimits } from './protocol.ts';

export interface EngineOptions {
  /** Resident memory at which the engine's process is ended. Default: 85 % of what this host or container has. */
  readonly memoryLimitBytes?: number;
  /** How long one request may take. Default 10 minutes. */
  readonly timeoutMs?: number;
  readonly logger?: Logger;
  /** The package that provides the engine, for another build of ONNX Runtime with the same interface. */
  readonly enginePackage?: string;
}

/** Outputs of two sessions compared next to the engine, over as many runs as are added. */
export interface OutputComparison {
  /** Runs both sessions on the same feeds and adds up how their outputs differ. */
  add(feeds: Feeds): Promise<void>;
  /** One record per pair, in the order of the request; ends the comparison. */
  result(): Promise<ComparisonStatistics[]>;
}

/** One process that hosts the inference engine for a whole command. Its crash, hang or memory excess is one `engine-failed`. */
export interface Engine {
  /** The version of ONNX Runtime. */
  readonly version: string;
  readonly processId: number;
  /** Limits what the models that are loaded afterwards may take; beyond it the process ends, with one `engine-failed`. */
  limit(limits: EngineLimits): Promise<void>;
  /**
   * Loads a model from a file (with its external data beside it) or from the bytes of one.
   * @throws EdgepackError `file-not-found`, `model-rejected` with the engine's own words, or `engine-failed`.
   */
  load(model: string | Uint8Array, options?: SessionOptions): Promise<Session>;
  /** Compares outputs of two sessions that take the same feeds. */
  compare(reference: Session, candidate: Session, pairs: readonly OutputPair[]): OutputComparison;
  /**
   * Times sessions in turns, in the engine's process. Load them with `memoryPattern: true` to time them as other programs
   * run them by default.
   */
  measureLatency(candidates: readonly LatencyCandidate[], options?: LatencyOptions): Promise<LatencyRun>;
  /** The largest resident memory of the engine's process so far; after `close`, of all its life. */
  peakMemoryBytes(): Promise<number>;
  /** Ends the process, at once where requests are under way: those are rejected. */
  close(): Promise<void>;
}

/**
 * Starts the engine's process.
 * @throws EdgepackError `engine-missing` if onnxruntime-node is not installed or does not load on this host.
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const { process, version } = await openEngineProcess(options);
  return engineOn(process, version);
}

/** The engine behind a channel on which it has been opened. */
export function engineOn(channel: EngineChannel, version: string): Engine {
  return new HostedEngine(channel, version);
}

/** Starts the engine's process and has it load the engine's library. @throws EdgepackError `engine-missing`. */
export async function openEngineProcess(
  options: EngineOptions,
): Promise<{ readonly process: EngineProcess; readonly version: string }> {
  const process = new EngineProcess({
    timeoutMs: options.timeoutMs ?? 600_000,
    logger: options.logger ?? silentLogger,
  });
  const ask = {
    enginePackage: options.enginePackage ?? 'onnxruntime-node',
    memoryLimitBytes: options.memoryLimitBytes ?? 0.85 * availableMemoryBytes(),
  };
  try {
    const { version } = await process.request('open', ask, { subject: 'starting the inference engine' });
    return { process, version };
  } catch (error) {
    await process.close();
    throw error;
  }
}

function availableMemoryBytes(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

class HostedEngine implements Engine {
  readonly version: string;
  readonly #channel: EngineChannel;
  readonly #sessions = new WeakMap<Session, EngineSession>();
  #nextComparisonId = 1;
  #finalPeakBytes: number | undefined;
  #closing: Promise<void> | undefined;

  constructor(channel: EngineChannel, version: string) {
    this.#channel = channel;
    this.version = version;
  }

  get processId(): number {
    return this.#channel.processId;
  }

  async limit(limits: EngineLimits): Promise<void> {
    await this.#channel.request('limit', limits, { subject: 'limiting the inference engine' });
  }

  async load(model: string | Uint8Array, options: SessionOptions = {}): Promise<Session> {
    if (typeof model === 'string') requireReadable(model);
    const session = await EngineSession.load(this.#channel, model, options);
    this.#sessions.set(session, session);
    return session;
  }

  compare(reference: Session, candidate: Session, pairs: readonly OutputPair[]): OutputComparison {
    const [first, second] = [this.#own(reference), this.#own(candidate)];
    first.requireOutputs(pairs.map((pair) => pair.reference));
    second.requireOutputs(pairs.map((pair) => pair.candidate));
    const comparisonId = this.#nextComparisonId++;
    const subject = { subject: `comparing ${first.modelName} with ${second.modelName}` };
    return {
      add: async (feeds) => {
        checkFeeds(first.inputs, feeds, first.modelName);
        checkFeeds(second.inputs, feeds, second.modelName);
        const ask = { comparisonId, referenceId: first.id, candidateId: second.id, pairs, feeds };
        await this.#channel.request('compare', ask, subject);
      },
      result: () => this.#channel.request('endComparison', { comparisonId }, subject),
    };
  }

  async measureLatency(candidates: readonly LatencyCandidate[], options: LatencyOptions = {}): Promise<LatencyRun> {
    for (const { session, feeds } of candidates) checkFeeds(session.inputs, feeds, this.#own(session).modelName);
    const names = candidates.map(({ session }) => this.#own(session).modelName).join(', ');
    return measureLatency(this.#channel, candidates, { subject: `timing ${names}` }, options);
  }

  async peakMemoryBytes(): Promise<number> {
    return this.#finalPeakBytes ?? this.#channel.request('peakMemory', {}, { subject: 'asking the inference engine' });
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    if (!this.#channel.isBusy) this.#finalPeakBytes = await this.peakMemoryBytes().catch(() => undefined);
    await this.#channel.close();
  }

  #own(session: Session): EngineSession {
    const own = this.#sessions.get(session);
    if (own === undefined) throw new EdgepackError('engine-failed', 'a session belongs to another engine');
    return own;
  }
}

function requireReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new EdgepackError('file-not-found', `${printable(path)}: the model cannot be opened`, {
      hint: 'Check the path.',
      location: { file: path },
      cause: error,
    });
  }
}

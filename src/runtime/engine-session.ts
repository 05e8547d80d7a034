import { basename } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import { isRecurring } from '../tensor/recurring-feeds.ts';
import { checkFeeds } from './check-feeds.ts';
import type { EngineChannel, RequestSubject } from './engine-channel.ts';
import type { ProfileRecord } from './profile.ts';
import type { Requests, SentFeeds } from './protocol.ts';
import type { Session, SessionOptions, ValueDescription } from './session.ts';
import { type Statistics, type StatisticsRequest, unpackStatistics } from './statistics.ts';

/** The numbers of the recurring feeds that each process has. */
const sentFeeds = new WeakMap<EngineChannel, WeakMap<Feeds, number>>();
let nextFeedsId = 1;

function sentTo(process: EngineChannel, feeds: Feeds): SentFeeds {
  if (!isRecurring(feeds)) return { feeds };
  const sent = sentFeeds.get(process) ?? new WeakMap<Feeds, number>();
  sentFeeds.set(process, sent);
  const known = sent.get(feeds);
  if (known !== undefined) return { feedsId: known };
  const feedsId = nextFeedsId++;
  sent.set(feeds, feedsId);
  return { feeds, feedsId };
}

/** A {@link Session} whose model lives in the engine's process. */
export class EngineSession implements Session {
  readonly id: number;
  readonly inputs: readonly ValueDescription[];
  readonly outputs: readonly ValueDescription[];
  readonly loadMs: number;
  /** What error messages call the model. */
  readonly modelName: string;
  readonly #process: EngineChannel;
  readonly #file: string | undefined;
  #request: StatisticsRequest | undefined;

  private constructor(
    process: EngineChannel,
    model: { readonly name: string; readonly file: string | undefined },
    loaded: Requests['load']['answer'],
  ) {
    this.#process = process;
    this.#file = model.file;
    this.modelName = model.name;
    this.id = loaded.sessionId;
    this.loadMs = loaded.loadMs;
    this.inputs = loaded.inputs;
    this.outputs = loaded.outputs;
  }

  static async load(
    process: EngineChannel,
    model: string | Uint8Array,
    options: SessionOptions,
  ): Promise<EngineSession> {
    const file = typeof model === 'string' && options.temporary !== true ? model : undefined;
    const name = printable(options.label ?? (file === undefined ? 'model' : basename(file)));
    const loaded = await process.request('load', { model, options }, { subject: `loading ${name}`, file });
    return new EngineSession(process, { name, file }, loaded);
  }

  async run(feeds: Feeds, outputNames: readonly string[] = this.outputs.map(({ name }) => name)): Promise<Feeds> {
    checkFeeds(this.inputs, feeds, this.modelName);
    this.requireOutputs(outputNames);
    const ask = { sessionId: this.id, ...sentTo(this.#process, feeds), outputNames };
    return this.#process.request('run', ask, this.#subject('running'));
  }

  async collect(feeds: Feeds, request: StatisticsRequest, outputNames: readonly string[] = []): Promise<Feeds> {
    checkFeeds(this.inputs, feeds, this.modelName);
    this.requireOutputs(outputNames);
    const begins = this.#request === undefined;
    if (begins) {
      this.requireOutputs(Object.keys(request));
      this.#request = request;
    } else if (this.#request !== request && JSON.stringify(this.#request) !== JSON.stringify(request)) {
      throw new EdgepackError('engine-failed', `running ${this.modelName}: other statistics are being collected`, {
        hint: 'Call statistics() before asking for others.',
      });
    }
    const ask = {
      sessionId: this.id,
      ...sentTo(this.#process, feeds),
      outputNames,
      ...(begins ? { request } : {}),
    };
    return this.#process.request('collect', ask, this.#subject('running'));
  }

  async statistics(): Promise<Statistics> {
    this.#request = undefined;
    return unpackStatistics(
      await this.#process.request('statistics', { sessionId: this.id }, this.#subject('running')),
    );
  }

  async endProfiling(): Promise<readonly ProfileRecord[]> {
    return this.#process.request('endProfiling', { sessionId: this.id }, this.#subject('profiling'));
  }

  async release(): Promise<void> {
    await this.#process.request('release', { sessionId: this.id }, this.#subject('releasing'));
  }

  /** @throws EdgepackError `data-mismatch` if the model lacks one of these outputs. */
  requireOutputs(names: readonly string[]): void {
    for (const name of names) {
      if (!this.outputs.some((output) => output.name === name)) {
        throw new EdgepackError('data-mismatch', `${this.modelName}: the model has no output '${printable(name)}'`);
      }
    }
  }

  #subject(verb: string): RequestSubject {
    return { subject: `${verb} ${this.modelName}`, file: this.#file };
  }
}

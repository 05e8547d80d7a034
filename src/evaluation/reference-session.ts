import { feedsOf } from '../data/feeds-of.ts';
import { byteLengthOf, type KeptDataset } from '../data/keep-feeds.ts';
import { overlap } from '../data/overlap.ts';
import type { Runnable, Session } from '../runtime/session.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import { isRecurring } from '../tensor/recurring-feeds.ts';
import type { ModelInterface } from './model-interface.ts';
import { floatOutputs } from './score-models.ts';

export interface ReferenceOptions {
  /** Inputs and outputs, where they are known without the engine: then the model is loaded when it is first needed. */
  readonly known?: ModelInterface | undefined;
  /** Samples that come again. */
  readonly samples?: KeptDataset | undefined;
  /** Bytes of answers that are kept, at most. */
  readonly limitBytes: number;
}

/**
 * The model that many others are compared with. It remembers its answers to samples that come again, and is in the engine
 * only while others are asked for.
 */
export class ReferenceSession implements Runnable {
  readonly inputs: Runnable['inputs'];
  readonly outputs: Runnable['outputs'];
  /** The outputs that comparisons look at. */
  readonly outputNames: readonly string[];
  readonly #load: () => Promise<Session>;
  readonly #samples: KeptDataset | undefined;
  readonly #answers = new Map<Feeds, Feeds>();
  #room: number;
  #session: Promise<Session> | undefined;

  private constructor(
    { inputs, outputs }: ModelInterface,
    load: () => Promise<Session>,
    { samples, limitBytes }: ReferenceOptions,
  ) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.outputNames = floatOutputs(this);
    this.#load = load;
    this.#samples = samples;
    this.#room = limitBytes;
  }

  /** @param load loads the model into the engine: when it is needed, and again where it is needed after {@link suspend}. */
  static async open(load: () => Promise<Session>, options: ReferenceOptions): Promise<ReferenceSession> {
    if (options.known !== undefined) return new ReferenceSession(options.known, load, options);
    const session = await load();
    const reference = new ReferenceSession(session, load, options);
    reference.#session = Promise.resolve(session);
    return reference;
  }

  async run(feeds: Feeds, outputNames: readonly string[] = this.outputs.map(({ name }) => name)): Promise<Feeds> {
    const known = this.#answers.get(feeds);
    if (known !== undefined && outputNames.every((name) => this.outputNames.includes(name))) return known;
    const answer = await (await this.loaded()).run(feeds, outputNames);
    if (this.wants(feeds) && this.outputNames.every((name) => outputNames.includes(name))) this.take(feeds, answer);
    return answer;
  }

  /** Whether the answer to this sample will be asked for again, and is not known yet. */
  wants(feeds: Feeds): boolean {
    return isRecurring(feeds) && !this.#answers.has(feeds);
  }

  /** Remembers the answer to a sample, given by this model or by one that computes the same. */
  take(feeds: Feeds, answer: Feeds): void {
    if (this.#answers.has(feeds)) return;
    this.#room -= byteLengthOf(answer);
    if (this.#room >= 0) this.#answers.set(feeds, answer);
  }

  /** Runs the samples that come again and whose answers are not known yet. */
  async remember(signal?: AbortSignal): Promise<void> {
    const work = async (feeds: Feeds) => {
      if (this.#room > 0 && this.wants(feeds)) await this.run(feeds, this.outputNames);
    };
    await overlap(this.#kept(signal), work, () => {});
  }

  /** The samples up to the first that is not kept. */
  async *#kept(signal: AbortSignal | undefined): AsyncGenerator<Feeds, void, undefined> {
    if (this.#samples === undefined) return;
    for await (const feeds of feedsOf(this.#samples, signal)) {
      if (!isRecurring(feeds)) return;
      yield feeds;
    }
  }

  /** Takes the model out of the engine; it comes back when something new is asked. */
  async suspend(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await (await session)?.release();
  }

  /** The model in the engine. @throws EdgepackError `model-rejected` where the engine refuses it. */
  loaded(): Promise<Session> {
    this.#session ??= this.#load();
    return this.#session;
  }
}

import type { Dataset } from '../data/dataset.ts';
import { feedsOf } from '../data/feeds-of.ts';
import { overlap } from '../data/overlap.ts';
import type { Runnable, Session } from '../runtime/session.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import { floatOutputs } from './score-models.ts';

/**
 * The model that many others are compared with. It remembers its answers to samples that come again, and can leave the
 * engine while only those are asked for.
 */
export class ReferenceSession implements Runnable {
  readonly inputs: Runnable['inputs'];
  readonly outputs: Runnable['outputs'];
  readonly #load: () => Promise<Session>;
  #session: Promise<Session> | undefined;
  readonly #remembered = new Map<Feeds, { readonly names: readonly string[]; readonly answer: Feeds }>();
  #remembering: Promise<void> = Promise.resolve();

  private constructor(load: () => Promise<Session>, session: Session) {
    this.#load = load;
    this.#session = Promise.resolve(session);
    this.inputs = session.inputs;
    this.outputs = session.outputs;
  }

  /** @param load loads the model into the engine: now, and again where it is needed after {@link suspend}. */
  static async load(load: () => Promise<Session>): Promise<ReferenceSession> {
    return new ReferenceSession(load, await load());
  }

  /**
   * Begins to run the samples and to keep the outputs that comparisons look at, up to `limitBytes`. Helps for samples
   * that are the same objects each time they are read.
   */
  remember(samples: Dataset, limitBytes: number, signal?: AbortSignal): void {
    const names = floatOutputs(this);
    let room = limitBytes;
    const work = async (feeds: Feeds) => ({ feeds, answer: await this.run(feeds, names) });
    this.#remembering = overlap(feedsOf(samples, signal), work, ({ feeds, answer }) => {
      room -= Object.values(answer).reduce((sum, { data }) => sum + data.byteLength, 0);
      if (room >= 0) this.#remembered.set(feeds, { names, answer });
    });
    // Whoever asks for a comparison meets the error there.
    this.#remembering.catch(() => {});
  }

  /** Takes the model out of the engine, once what was to be remembered is; it comes back when something new is asked. */
  async suspend(): Promise<void> {
    await this.#remembering.catch(() => {});
    await this.release();
  }

  async run(feeds: Feeds, outputNames: readonly string[] = this.outputs.map(({ name }) => name)): Promise<Feeds> {
    const known = this.#remembered.get(feeds);
    if (known !== undefined && outputNames.every((name) => known.names.includes(name))) return known.answer;
    return (await this.#loaded()).run(feeds, outputNames);
  }

  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await (await session)?.release();
  }

  #loaded(): Promise<Session> {
    this.#session ??= this.#load();
    return this.#session;
  }
}

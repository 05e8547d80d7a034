import type { ProfileRecord } from '../runtime/profile.ts';
import type { Runnable, Session } from '../runtime/session.ts';

/** A session that was loaded with `profile`, of which only the first run is recorded: the others are as fast as without. */
export class FirstRunProfile implements Runnable {
  readonly inputs: Runnable['inputs'];
  readonly outputs: Runnable['outputs'];
  readonly #session: Session;
  #records: Promise<readonly ProfileRecord[]> | undefined;

  constructor(session: Session) {
    this.#session = session;
    this.inputs = session.inputs;
    this.outputs = session.outputs;
  }

  run: Runnable['run'] = (feeds, outputNames) => {
    const answer = this.#session.run(feeds, outputNames);
    // Requests are answered in their order: the recording ends before the next run.
    if (this.#records === undefined) {
      this.#records = this.#session.endProfiling();
      this.#records.catch(() => {});
    }
    return answer;
  };

  /** Empty where nothing was run. */
  async records(): Promise<readonly ProfileRecord[]> {
    return this.#records ?? [];
  }
}

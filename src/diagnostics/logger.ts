/** A running piece of work with a known or unknown number of steps. */
export interface Progress {
  /** Reports that `done` steps of the total are finished. */
  update(done: number): void;
  /** Ends the progress line. */
  done(): void;
}

/** What the rooms below the command line may say while they work. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  /** Starts a progress line; `total` is the number of steps, where known. */
  progress(label: string, total?: number): Progress;
}

/** Says nothing. The default of the API. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  progress: () => ({ update() {}, done() {} }),
};

import { Chalk } from 'chalk';
import type { Ora } from 'ora';
import type { Logger, Progress } from '../diagnostics/logger.ts';
import { formatDuration } from '../report/number-format.ts';
import { type CliStream, colorLevel } from './cli-process.ts';

/** A logger that can take its spinner away when work ends early. */
export interface TerminalLogger extends Logger {
  stop(): void;
}

export type Verbosity = 'quiet' | 'normal' | 'verbose';

/** A progress line says nothing about the time left before this, and is not worth a line of a log file below it. */
const settledMs = 1000;

/**
 * Writes messages and progress to the error stream, so that the output stream carries results only.
 * On a terminal progress is a spinner with the time left; elsewhere one line when a longer piece of work is done.
 */
export function terminalLogger(
  stream: CliStream,
  env: Readonly<Record<string, string | undefined>>,
  verbosity: Verbosity,
): TerminalLogger {
  const chalk = new Chalk({ level: colorLevel(stream, env) });
  // A terminal that does not know its width (0 columns) sends ora into an endless loop.
  const animated =
    stream.isTTY === true &&
    (stream.columns ?? 0) > 0 &&
    env.TERM !== 'dumb' &&
    env.CI === undefined &&
    verbosity !== 'quiet';
  let spinner: Spinner | undefined;

  // ora itself takes the spinner away around every write to its stream.
  const line = (text: string) => stream.write(`${text}\n`);

  const progress = (label: string, total?: number): Progress => {
    const started = performance.now();
    let last = 0;
    const own = animated ? new Spinner(stream, label) : undefined;
    if (own !== undefined) {
      spinner?.stop();
      spinner = own;
    }
    return {
      update(done) {
        last = done;
        own?.show(progressText(label, done, total, performance.now() - started));
      },
      done() {
        own?.stop();
        if (spinner === own) spinner = undefined;
        const elapsed = performance.now() - started;
        if (verbosity === 'verbose' || (verbosity === 'normal' && elapsed >= settledMs)) {
          const amount = last > 0 ? `${last}, ` : '';
          line(chalk.dim(`${label}: ${amount}${formatDuration(elapsed)}`));
        }
      },
    };
  };

  return {
    debug(message) {
      if (verbosity === 'verbose') line(chalk.dim(message));
    },
    info(message) {
      if (verbosity !== 'quiet') line(message);
    },
    warn(message) {
      if (verbosity !== 'quiet') line(`${chalk.yellow('warning:')} ${message}`);
    },
    progress,
    stop: () => spinner?.stop(),
  };
}

/** A spinner that is on its way until its library is loaded, which takes longer than a short command. */
class Spinner {
  #text: string;
  #ora: Ora | undefined;
  #isStopped = false;

  constructor(stream: CliStream, text: string) {
    this.#text = text;
    import('ora').then(({ default: ora }) => {
      if (this.#isStopped) return;
      const options = { stream: stream as unknown as NodeJS.WriteStream, discardStdin: false, hideCursor: true };
      this.#ora = ora({ ...options, text: this.#text }).start();
    });
  }

  show(text: string): void {
    this.#text = text;
    if (this.#ora !== undefined) this.#ora.text = text;
  }

  stop(): void {
    this.#isStopped = true;
    this.#ora?.stop();
  }
}

/** "Calibrating 34/100, 12 s left": the time left from the pace so far, once there is a pace. */
export function progressText(label: string, done: number, total: number | undefined, elapsedMs: number): string {
  if (total === undefined || total <= 0) return done > 0 ? `${label} ${done}` : label;
  const amount = `${label} ${Math.min(done, total)}/${total}`;
  if (done <= 0 || done >= total || elapsedMs < settledMs) return amount;
  const leftMs = (elapsedMs / done) * (total - done);
  return `${amount}, ${formatDuration(Math.max(1000, Math.round(leftMs / 1000) * 1000)).replace(/\.\d+ s$/, ' s')} left`;
}

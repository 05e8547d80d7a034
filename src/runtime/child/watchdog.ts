import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { siblingModule } from '../../storage/sibling-module.ts';
import { memoryExceededMark, timeExceededMark } from '../protocol.ts';

interface WatchdogData {
  readonly watchdog: true;
  readonly parentProcessId: number;
  /** As {@link Limit} lists them. */
  readonly limits: Float64Array;
}

/** Where the limits are in the memory that both threads see. */
const Limit = { memoryBytes: 0, pollMs: 1, runSeconds: 2, runEndSeconds: 3 } as const;

const calmPollMs = 50;
const alertPollMs = 10;
/** Memory grows by two GiB a second at most: the less is left of it, the sooner it is looked at again. */
const growthBytesPerMs = 2 * 1024 * 1024;

/** The limits of this process, held by a thread of its own: a run blocks the main thread. */
export class Watchdog {
  readonly #limits: Float64Array;

  /** Ends this process when it takes more memory than the limit, and when its parent is gone. */
  constructor(memoryLimitBytes: number) {
    this.#limits = new Float64Array(new SharedArrayBuffer(4 * Float64Array.BYTES_PER_ELEMENT));
    this.#limits.set([memoryLimitBytes, calmPollMs, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    const data: WatchdogData = { watchdog: true, parentProcessId: process.ppid, limits: this.#limits };
    const worker = new Worker(siblingModule(import.meta.url, './watchdog'), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
    });
    worker.unref();
  }

  /** Memory above what the process takes now; seconds of the processor for each {@link run}. */
  limit(memoryBytes: number | undefined, runSeconds: number | undefined): void {
    if (runSeconds !== undefined) this.#limits[Limit.runSeconds] = runSeconds;
    if (memoryBytes !== undefined) {
      const limitBytes = Math.min(this.#limits[Limit.memoryBytes]!, process.memoryUsage.rss() + memoryBytes);
      this.#limits[Limit.memoryBytes] = limitBytes;
    }
    if (memoryBytes !== undefined || runSeconds !== undefined) this.#limits[Limit.pollMs] = alertPollMs;
  }

  /** Runs a model within the time of one run. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    // Nothing is added to runs that are timed.
    if (this.#limits[Limit.runSeconds] === Number.POSITIVE_INFINITY) return work();
    this.#limits[Limit.runEndSeconds] = cpuSeconds() + this.#limits[Limit.runSeconds]!;
    try {
      return await work();
    } finally {
      this.#limits[Limit.runEndSeconds] = Number.POSITIVE_INFINITY;
    }
  }
}

/** Time of the processor that all threads have taken: a busy host does not make it longer. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function watch({ parentProcessId, limits }: WatchdogData): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  let fullMs = Number.POSITIVE_INFINITY;
  for (;;) {
    Atomics.wait(cell, 0, 0, Math.max(1, Math.min(limits[Limit.pollMs]!, fullMs)));
    const residentBytes = process.memoryUsage.rss();
    const limitBytes = limits[Limit.memoryBytes]!;
    fullMs = (limitBytes - residentBytes) / growthBytesPerMs;
    if (residentBytes > limitBytes) end(`${memoryExceededMark} ${residentBytes} of ${limitBytes}`);
    if (cpuSeconds() > limits[Limit.runEndSeconds]!) end(`${timeExceededMark} ${limits[Limit.runSeconds]}`);
    if (!isAlive(parentProcessId)) process.kill(process.pid, 'SIGKILL');
  }
}

function end(lastWords: string): void {
  writeSync(2, `\n${lastWords}\n`);
  process.kill(process.pid, 'SIGKILL');
}

/** A parent that has ended is replaced as the parent on Unix, and is unknown on Windows. */
function isAlive(parentProcessId: number): boolean {
  if (process.platform !== 'win32') return process.ppid === parentProcessId;
  try {
    return process.kill(parentProcessId, 0);
  } catch {
    return false;
  }
}

if (!isMainThread && (workerData as WatchdogData | undefined)?.watchdog) watch(workerData as WatchdogData);

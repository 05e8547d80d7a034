import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { memoryExceededMark } from '../protocol.ts';
import { siblingModule } from '../sibling-module.ts';

interface WatchdogData {
  readonly watchdog: true;
  readonly parentProcessId: number;
  readonly memoryLimitBytes: number;
}

const pollMs = 50;

/**
 * Watches this process from a thread of its own, since a run blocks the main thread: ends it when it takes more memory
 * than the limit, and when its parent is gone.
 */
export function startWatchdog(memoryLimitBytes: number): void {
  const data: WatchdogData = { watchdog: true, parentProcessId: process.ppid, memoryLimitBytes };
  const worker = new Worker(siblingModule(import.meta.url, './watchdog'), {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  worker.unref();
}

function watch({ parentProcessId, memoryLimitBytes }: WatchdogData): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    Atomics.wait(cell, 0, 0, pollMs);
    const residentBytes = process.memoryUsage.rss();
    if (residentBytes > memoryLimitBytes) {
      writeSync(2, `\n${memoryExceededMark} ${residentBytes} of ${memoryLimitBytes}\n`);
      process.kill(process.pid, 'SIGKILL');
    }
    if (!isAlive(parentProcessId)) process.kill(process.pid, 'SIGKILL');
  }
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

import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';

export interface LockOptions {
  /** How long to wait for another process. Default 10 s. */
  readonly patienceMs?: number;
  /** From what age on a lock counts as left behind. Default 60 s: what is done under a lock takes milliseconds. */
  readonly abandonedAfterMs?: number;
}

/**
 * Runs an action while no other process does the same for this file: a file beside it, `<path>.lock`, which only one can create.
 * @throws EdgepackError `output-unwritable` where the lock does not come free, or the folder cannot be written.
 */
export async function withLock<T>(
  path: string,
  action: () => T,
  { patienceMs = 10_000, abandonedAfterMs = 60_000 }: LockOptions = {},
): Promise<T> {
  const lockPath = `${path}.lock`;
  const giveUpMs = performance.now() + patienceMs;
  for (;;) {
    try {
      closeSync(openSync(lockPath, 'wx'));
      break;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      // Windows refuses to create what is just being removed.
      const isTaken = code === 'EEXIST' || code === 'EPERM';
      if (isTaken && isAbandoned(lockPath, abandonedAfterMs)) {
        rmSync(lockPath, { force: true });
        continue;
      }
      if (!isTaken || performance.now() > giveUpMs) {
        throw new EdgepackError(
          'output-unwritable',
          isTaken ? 'is locked by another process' : `cannot be written (${code})`,
          {
            location: { file: path },
            hint: isTaken ? `wait for it, or remove ${lockPath}` : 'check that the folder exists and is writable',
            cause,
          },
        );
      }
    }
    await pause(5 + Math.random() * 20);
  }
  try {
    return action();
  } finally {
    rmSync(lockPath, { force: true });
  }
}

function isAbandoned(lockPath: string, afterMs: number): boolean {
  const status = statSync(lockPath, { throwIfNoEntry: false });
  return status !== undefined && Date.now() - status.mtimeMs > afterMs;
}

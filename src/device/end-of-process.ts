import type { ChildProcess } from 'node:child_process';

/** What a process may have said just before it ended takes no longer to arrive. */
const LAST_WORDS_MS = 2000;

/**
 * How a process ended: its exit code, null if it was killed, an error if it could not be started. What it has started itself
 * (`ssh` a ProxyCommand) may hold its streams open without end, and is not waited for.
 */
export function endOfProcess(child: ChildProcess): Promise<number | null | Error> {
  return new Promise((resolve) => {
    child.once('error', resolve);
    child.once('close', (code) => resolve(code));
    child.once('exit', (code) => {
      const timer = setTimeout(() => {
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
        resolve(code);
      }, LAST_WORDS_MS);
      child.once('close', () => clearTimeout(timer));
    });
  });
}

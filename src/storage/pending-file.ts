import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';

/** A temporary file of another host, whose processes we cannot see, counts as abandoned after this time. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;
const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/**
 * A file that is being written: a temporary file in the folder of its final path, which takes its name only when it is
 * complete and flushed to disk. Temporary files that killed processes left for the same path are removed on the way.
 */
export class PendingFile {
  readonly path: string;
  readonly #temporaryPath: string;
  #file: number | undefined;
  #byteLength = 0;

  /** @throws EdgepackError `output-unwritable` */
  constructor(path: string) {
    this.path = path;
    removeAbandoned(path);
    this.#temporaryPath = `${path}.${host}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
    this.#guard(() => {
      this.#file = openSync(this.#temporaryPath, 'wx');
    });
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  write(piece: Uint8Array): void {
    this.#guard(() => {
      for (let offset = 0; offset < piece.byteLength; ) offset += writeSync(this.#file!, piece, offset);
      this.#byteLength += piece.byteLength;
    });
  }

  /** Flushes and closes the file and gives it its name, in place of a file that bears it. */
  commit(path = this.path): void {
    this.#guard(() => {
      fsyncSync(this.#file!);
      closeSync(this.#file!);
      this.#file = undefined;
      renameSync(this.#temporaryPath, path);
    });
    syncFolder(dirname(path));
  }

  /** Removes the temporary file. Nothing happens after `commit`. */
  discard(): void {
    try {
      if (this.#file !== undefined) closeSync(this.#file);
      rmSync(this.#temporaryPath, { force: true });
    } catch {
      // What cannot be removed now is removed by the next run.
    }
    this.#file = undefined;
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (cause) {
      this.discard();
      throw new EdgepackError('output-unwritable', `cannot be written (${(cause as NodeJS.ErrnoException).code})`, {
        location: { file: this.path },
        hint: 'check that the folder exists, is writable and has room',
        cause,
      });
    }
  }
}

/** A rename is durable once its folder is flushed; where folders cannot be opened (Windows), the system sees to it. */
function syncFolder(folder: string): void {
  try {
    const file = openSync(folder, 'r');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch {
    // Not supported here.
  }
}

function removeAbandoned(path: string): void {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const parts = name.startsWith(start)
      ? /^([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/.exec(name.slice(start.length))
      : null;
    if (parts === null) continue;
    const temporaryPath = join(folder, name);
    try {
      const isAbandoned =
        parts[1] === host
          ? !isRunning(Number(parts[2]))
          : Date.now() - statSync(temporaryPath).mtimeMs > ABANDONED_AFTER_MS;
      if (isAbandoned) rmSync(temporaryPath, { force: true });
    } catch {
      // Another run was faster.
    }
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

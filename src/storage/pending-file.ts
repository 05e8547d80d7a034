import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { diskFiles, renamePatiently, syncFolder, writeFully } from './file-layer.ts';
import { identityText, isAlive, parseIdentity } from './process-identity.ts';

/** A temporary file of another host, whose processes we cannot see, counts as abandoned after this time. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

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
    this.#temporaryPath = `${path}.${identityText()}-${randomBytes(6).toString('hex')}.tmp`;
    this.#guard(() => {
      this.#file = openSync(this.#temporaryPath, 'wx');
    });
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  write(piece: Uint8Array): void {
    this.#guard(() => {
      writeFully(diskFiles, this.#file!, piece);
      this.#byteLength += piece.byteLength;
    });
  }

  /** Flushes and closes the file and gives it its name, in place of a file that bears it. */
  commit(path = this.path): void {
    this.#guard(() => {
      fsyncSync(this.#file!);
      closeSync(this.#file!);
      this.#file = undefined;
      renamePatiently(diskFiles, this.#temporaryPath, path);
    });
    syncFolder(diskFiles, dirname(path));
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
    const parts = name.startsWith(start) ? /^(.+)-[0-9a-f]{12}\.tmp$/.exec(name.slice(start.length)) : null;
    const owner = parts === null ? undefined : parseIdentity(parts[1]!);
    if (owner === undefined) continue;
    const temporaryPath = join(folder, name);
    try {
      const alive = isAlive(owner);
      const isAbandoned =
        alive === undefined ? Date.now() - statSync(temporaryPath).mtimeMs > ABANDONED_AFTER_MS : !alive;
      if (isAbandoned) rmSync(temporaryPath, { force: true });
    } catch {
      // Another run was faster.
    }
  }
}

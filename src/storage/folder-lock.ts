import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { diskFiles, type FileLayer, writeFully } from './file-layer.ts';
import { identityText, isAlive, ownIdentity, parseIdentity } from './process-identity.ts';

/** How often the owner shows that it lives, to those who cannot see its process. */
const HEARTBEAT_MS = 15_000;
/** A lock of another host that shows no life for this long is abandoned. Long steps may keep the heart from beating. */
const ABANDONED_AFTER_MS = 10 * 60_000;

/**
 * The right to write a set of outputs: a file that names its owner. A lock whose owner is dead is taken over: on this host
 * its process is looked up by number and start time, on another its last sign of life counts.
 */
export class FolderLock {
  readonly path: string;
  readonly #files: FileLayer;
  readonly #text = `${identityText()} ${randomBytes(6).toString('hex')}\n`;
  #heart: NodeJS.Timeout | undefined;

  /**
   * @param folder what is being locked, for the message.
   * @throws EdgepackError `output-busy` while another run holds it; what the file system throws, as it is.
   */
  constructor(path: string, folder: string, files: FileLayer = diskFiles) {
    this.path = path;
    this.#files = files;
    this.#acquire(folder);
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#heart.unref();
  }

  /** Whether the lock is still ours: a run that was suspended for long may have lost it. */
  isHeld(): boolean {
    return textOf(this.#files, this.path) === this.#text;
  }

  release(): void {
    clearInterval(this.#heart);
    try {
      if (this.isHeld()) this.#files.rmSync(this.path, { force: true });
    } catch {
      // The next run sees that its owner is gone.
    }
  }

  #acquire(folder: string): void {
    const draft = `${this.path}-${identityText()}-${randomBytes(4).toString('hex')}`;
    try {
      const file = this.#files.openSync(draft, 'wx');
      try {
        writeFully(this.#files, file, Buffer.from(this.#text));
      } finally {
        this.#files.closeSync(file);
      }
      for (let attempt = 0; attempt < 5; attempt++) {
        if (this.#place(draft)) return;
        const found = textOf(this.#files, this.path);
        if (found === undefined) continue;
        const owner = parseIdentity(found.split(' ')[0]!);
        if (!this.#isAbandoned(owner, draft)) throw busy(folder, this.path, owner?.host, owner?.processId);
        this.#remove(found);
      }
      throw busy(folder, this.path, undefined, undefined);
    } finally {
      this.#files.rmSync(draft, { force: true });
    }
  }

  /** A hard link appears with its content and never replaces; file systems without them get a plain new file. */
  #place(draft: string): boolean {
    try {
      this.#files.linkSync(draft, this.path);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return false;
      if (code === undefined || !['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(code)) throw error;
    }
    try {
      const file = this.#files.openSync(this.path, 'wx');
      try {
        writeFully(this.#files, file, Buffer.from(this.#text));
      } finally {
        this.#files.closeSync(file);
      }
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  #isAbandoned(owner: ReturnType<typeof parseIdentity>, draft: string): boolean {
    const alive = owner === undefined ? undefined : isAlive(owner);
    if (alive !== undefined) return !alive;
    try {
      // Both times are of the file system's own clock, which on a network is another one than ours.
      return this.#files.statSync(draft).mtimeMs - this.#files.statSync(this.path).mtimeMs > ABANDONED_AFTER_MS;
    } catch {
      return false;
    }
  }

  /** Removes the lock that was looked at, and not one that another run has put there since. */
  #remove(found: string): void {
    const aside = `${this.path}-${identityText()}-${randomBytes(4).toString('hex')}`;
    try {
      this.#files.renameSync(this.path, aside);
      if (textOf(this.#files, aside) !== found) this.#files.linkSync(aside, this.path);
    } catch {
      // Another run was faster: the next attempt looks again.
    } finally {
      this.#files.rmSync(aside, { force: true });
    }
  }

  #beat(): void {
    try {
      if (!this.isHeld()) return;
      // Written again, and not touched: that takes the time of the file system's clock.
      const file = this.#files.openSync(this.path, 'r+');
      try {
        writeFully(this.#files, file, Buffer.from(this.#text));
      } finally {
        this.#files.closeSync(file);
      }
    } catch {
      // The lock, or its folder, is gone: `isHeld` tells.
    }
  }
}

/** Removes a lock whose owner has ended on this host. */
export function removeDeadLock(path: string, files: FileLayer = diskFiles): void {
  const owner = parseIdentity(textOf(files, path)?.split(' ')[0] ?? '');
  if (owner !== undefined && isAlive(owner) === false) files.rmSync(path, { force: true });
}

/** Drafts that killed processes left beside a lock. */
export function removeLockDrafts(folder: string, lockName: string, files: FileLayer = diskFiles): void {
  for (const name of files.readdirSync(folder)) {
    if (!name.startsWith(`${lockName}-`)) continue;
    const owner = parseIdentity(name.slice(lockName.length + 1).replace(/-[0-9a-f]{8}$/, ''));
    if (owner !== undefined && isAlive(owner) === false) files.rmSync(join(folder, name), { force: true });
  }
}

function textOf(files: FileLayer, path: string): string | undefined {
  try {
    return files.readFileSync(path, 'latin1').slice(0, 200);
  } catch {
    return undefined;
  }
}

function busy(folder: string, path: string, host: string | undefined, processId: number | undefined): EdgepackError {
  const who = processId === undefined || host !== ownIdentity().host ? 'of another host' : `(process ${processId})`;
  return new EdgepackError('output-busy', `another edgepack run ${who} is writing into this folder`, {
    hint: `Wait for it, or choose another folder. If no such run exists, remove ${printable(path, 300)}.`,
    location: { file: folder },
  });
}

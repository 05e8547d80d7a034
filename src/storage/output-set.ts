import { createHash, randomBytes } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { diskFiles, type FileLayer, renamePatiently, syncFolder, writeFully } from './file-layer.ts';
import { FolderLock, removeDeadLock, removeLockDrafts } from './folder-lock.ts';
import {
  exists,
  hasJournal,
  isTemporaryName,
  type JournalFile,
  newPath,
  type OutputJournal,
  recoverOutputs,
  rollBack,
  rollForward,
  writeJournal,
} from './output-journal.ts';
import { identityText, isAlive, parseIdentity } from './process-identity.ts';

const LOCK = '.edgepack-lock';

/** What was written: path, size and SHA-256. */
export interface WrittenFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/**
 * The files that one run writes into one folder, which appear together or not at all. They wait, complete and flushed to
 * disk, under temporary names, and {@link commit} puts them in place: a folder that did not exist appears whole, by one
 * rename; in one that did, old files go and new ones come by renames that a journal lets the next run complete. The file
 * added last is the seal: where it is, all of its set is. The folder is locked from the beginning to {@link close}.
 */
export class OutputSet {
  readonly folder: string;
  readonly #files: FileLayer;
  readonly #id = `edgepack-${identityText()}-${randomBytes(6).toString('hex')}`;
  readonly #set: Omit<JournalFile, 'replaces'>[] = [];
  /** The folder in which a new folder is made ready; undefined where the folder exists. */
  #staging: string | undefined;
  /** The first of the folders above it that had to be made. */
  #madeParent: string | undefined;
  #lock: FolderLock | undefined;
  readonly #swept = new Set<string>();
  #isCommitted = false;
  readonly #atExit = () => this.close();

  /** @throws EdgepackError `output-busy` while another run writes there, `output-unwritable`. */
  constructor(folder: string, files: FileLayer = diskFiles) {
    this.folder = resolve(folder);
    this.#files = files;
    const parent = dirname(this.folder);
    process.on('exit', this.#atExit);
    try {
      this.#guard(this.folder, () => {
        if (exists(files, this.folder)) {
          this.#lock = new FolderLock(join(this.folder, LOCK), this.folder, files);
          recoverOutputs(this.folder, files);
          this.#sweep(this.folder);
          removeLockDrafts(this.folder, LOCK, files);
          this.#tidyParent(parent);
          return;
        }
        this.#madeParent = files.mkdirSync(parent, { recursive: true });
        this.#lock = new FolderLock(join(parent, this.#lockBeside), this.folder, files);
        this.#tidyParent(parent);
      });
      this.#staging = exists(files, this.folder) ? undefined : join(parent, `.${basename(this.folder)}.${this.#id}`);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Writes a file under a temporary name, flushes it and reads it back.
   * @param name relative to the folder, with `/` between folders.
   * @throws EdgepackError `output-unwritable`, or what the pieces throw.
   */
  add(name: string, pieces: Iterable<Uint8Array>): WrittenFile {
    const target = join(this.folder, name);
    const path = this.#waitingPath(name);
    const hash = createHash('sha256');
    let sizeBytes = 0;
    this.#guard(target, () => {
      this.#files.mkdirSync(dirname(path), { recursive: true });
      if (this.#staging === undefined) this.#sweep(dirname(path));
    });
    const file = this.#guard(target, () => this.#files.openSync(path, 'wx'));
    this.#set.push({ name, sizeBytes: 0, sha256: '' });
    try {
      for (const piece of pieces) {
        hash.update(piece);
        sizeBytes += piece.byteLength;
        this.#guard(target, () => writeFully(this.#files, file, piece));
      }
      this.#guard(target, () => this.#files.fsyncSync(file));
    } finally {
      this.#guard(target, () => this.#files.closeSync(file));
    }
    const written = { name, sizeBytes, sha256: hash.digest('hex') };
    const readBack = this.#guard(target, () => this.#files.readFileSync(path));
    if (createHash('sha256').update(readBack).digest('hex') !== written.sha256) {
      throw new EdgepackError('output-unwritable', 'reads back differently from what was written', {
        hint: 'check the disk, or write to another one',
        location: { file: target },
      });
    }
    this.#set[this.#set.length - 1] = written;
    return { path: target, sizeBytes, sha256: written.sha256 };
  }

  /**
   * Puts all files in place.
   * @throws EdgepackError `output-exists` without `force`, `output-unwritable`, `output-busy`; the old files are intact.
   */
  commit({ force = false }: { readonly force?: boolean } = {}): void {
    if (this.#lock?.isHeld() !== true) {
      throw new EdgepackError('output-busy', 'another edgepack run has taken over this folder', {
        hint: 'Run again, or choose another folder.',
        location: { file: this.folder },
      });
    }
    if (this.#staging !== undefined && exists(this.#files, this.folder)) this.#moveIn(this.#staging);
    if (this.#staging === undefined) this.#replace(force);
    else this.#appear(this.#staging);
    this.#isCommitted = true;
  }

  /** Removes what was not committed and gives the folder free. */
  close(): void {
    process.off('exit', this.#atExit);
    if (!this.#isCommitted) this.#discard();
    this.#lock?.release();
    this.#lock = undefined;
    if (!this.#isCommitted) this.#removeMadeParents();
  }

  #waitingPath(name: string): string {
    return this.#staging === undefined ? newPath(this.folder, name, this.#id) : join(this.#staging, name);
  }

  #appear(staging: string): void {
    const parent = dirname(this.folder);
    this.#guard(this.folder, () => {
      for (const place of new Set(this.#set.map(({ name }) => dirname(join(staging, name))))) {
        syncFolder(this.#files, place);
      }
      syncFolder(this.#files, staging);
      renamePatiently(this.#files, staging, this.folder);
      syncFolder(this.#files, parent);
    });
  }

  /** The folder was made while this run was working, perhaps for its own cache: the files wait there, as in any other. */
  #moveIn(staging: string): void {
    this.#guard(this.folder, () => {
      const beside = this.#lock;
      this.#lock = new FolderLock(join(this.folder, LOCK), this.folder, this.#files);
      beside?.release();
      recoverOutputs(this.folder, this.#files);
      for (const { name } of this.#set) {
        const path = newPath(this.folder, name, this.#id);
        this.#files.mkdirSync(dirname(path), { recursive: true });
        renamePatiently(this.#files, join(staging, name), path);
      }
      this.#staging = undefined;
      this.#files.rmSync(staging, { recursive: true, force: true });
    });
  }

  #replace(force: boolean): void {
    const journal: OutputJournal = {
      version: 1,
      id: this.#id,
      files: this.#set.map((file) => ({ ...file, replaces: this.#replaces(file.name, force) })),
    };
    this.#guard(this.folder, () => {
      syncFolder(this.#files, this.folder);
      try {
        writeJournal(this.folder, journal, this.#files);
        rollForward(this.folder, journal, this.#files);
      } catch (error) {
        rollBack(this.folder, journal, this.#files);
        throw error;
      }
    });
  }

  #replaces(name: string, force: boolean): boolean {
    const path = join(this.folder, name);
    return this.#guard(path, () => {
      if (!exists(this.#files, path)) return false;
      if (!force) {
        throw new EdgepackError('output-exists', `${printable(path, 300)} is already there`, {
          hint: 'Choose another folder with -o, or overwrite with --force.',
          location: { file: path },
        });
      }
      if (!this.#files.statSync(path).isFile()) throw Object.assign(new Error('not a file'), { code: 'EISDIR' });
      return true;
    });
  }

  #discard(): void {
    try {
      if (this.#staging !== undefined) {
        this.#files.rmSync(this.#staging, { recursive: true, force: true });
        return;
      }
      // A set that could be put neither in place nor back is left to the next run.
      if (hasJournal(this.folder, this.#files)) return;
      for (const { name } of this.#set) this.#files.rmSync(this.#waitingPath(name), { force: true });
    } catch {
      // What cannot be removed now is removed by the next run.
    }
  }

  /** Temporary files in a folder whose lock we hold belong to no living run. */
  #sweep(place: string): void {
    if (this.#swept.has(place)) return;
    this.#swept.add(place);
    for (const name of this.#files.readdirSync(place)) {
      if (!isTemporaryName(name) || name.includes(this.#id)) continue;
      this.#files.rmSync(join(place, name), { force: true });
    }
  }

  /** The name of the lock of a folder that does not exist yet. */
  get #lockBeside(): string {
    return `.${basename(this.folder)}${LOCK}`;
  }

  /** What killed runs that were making a new folder left beside it. */
  #tidyParent(parent: string): void {
    try {
      removeDeadLock(join(parent, this.#lockBeside), this.#files);
      removeLockDrafts(parent, this.#lockBeside, this.#files);
      const start = `.${basename(this.folder)}.edgepack-`;
      for (const name of this.#files.readdirSync(parent)) {
        if (!name.startsWith(start)) continue;
        const owner = parseIdentity(name.slice(start.length).replace(/-[0-9a-f]{12}$/, ''));
        if (owner === undefined || isAlive(owner) !== false) continue;
        this.#files.rmSync(join(parent, name), { recursive: true, force: true });
      }
    } catch (error) {
      // A folder above that may not be listed or changed is none of our concern.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }

  #removeMadeParents(): void {
    if (this.#madeParent === undefined) return;
    try {
      for (let place = dirname(this.folder); place.length >= this.#madeParent.length; place = dirname(place)) {
        this.#files.rmdirSync(place);
      }
    } catch {
      // Somebody else uses it.
    }
  }

  #guard<T>(path: string, action: () => T): T {
    try {
      return action();
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (cause instanceof EdgepackError || code === undefined) throw cause;
      throw new EdgepackError('output-unwritable', `cannot be written (${code})`, {
        location: { file: path },
        hint: 'check that the folder is writable and has room',
        cause,
      });
    }
  }
}

/**
 * Puts in place what a killed run left half done in a folder, for who writes there without being a set.
 * @throws EdgepackError `output-busy` while a run is at it, `output-unwritable`.
 */
export function completeOutputs(folder: string): void {
  if (hasJournal(folder)) new OutputSet(folder).close();
}

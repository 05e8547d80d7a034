import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { diskFiles, type FileLayer, renamePatiently, syncFolder, writeFully } from './file-layer.ts';

const JOURNAL = '.edgepack-journal';
const idPattern = /^edgepack-[0-9a-f]{8}-\d{1,10}-[0-9a-f]{8}-[0-9a-f]{12}$/;

/** One file of a set that is being put in place. */
export interface JournalFile {
  /** Relative to the folder, with `/`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Whether a file of this name is being replaced. */
  readonly replaces: boolean;
}

/** The set that takes its place; the last file is its seal: first of the old set to go, last of the new set to come. */
export interface OutputJournal {
  readonly version: 1;
  readonly id: string;
  readonly files: readonly JournalFile[];
}

/** Where the new file waits. */
export function newPath(folder: string, name: string, id: string): string {
  return join(folder, dirname(name), `.${basename(name)}.${id}.new`);
}

function oldPath(folder: string, name: string, id: string): string {
  return join(folder, dirname(name), `.${basename(name)}.${id}.old`);
}

/** Whether a name is that of a temporary file of an output set. */
export function isTemporaryName(name: string): boolean {
  const parts = /^\..+\.(edgepack-[0-9a-f-]+)\.(?:new|old)$/.exec(name);
  return parts !== null && idPattern.test(parts[1]!);
}

/** Whether a set was being put in place there when its run was killed, or is at this moment. */
export function hasJournal(folder: string, files: FileLayer = diskFiles): boolean {
  return exists(files, join(folder, JOURNAL));
}

/** Writes down, durably, what is about to happen. From here on the set is put in place, now or by the next run. */
export function writeJournal(folder: string, journal: OutputJournal, files: FileLayer): void {
  const draft = newPath(folder, 'journal', journal.id);
  const file = files.openSync(draft, 'wx');
  try {
    writeFully(files, file, Buffer.from(JSON.stringify(journal)));
    files.fsyncSync(file);
  } finally {
    files.closeSync(file);
  }
  renamePatiently(files, draft, join(folder, JOURNAL));
  syncFolder(files, folder);
}

/**
 * Puts the new set in the place of the old one. The old files go aside, the seal first, and then the new ones come, the seal
 * last: a reader sees some of the old set or some of the new set, never some of both. Begins wherever a killed run ended.
 */
export function rollForward(folder: string, { id, files: set }: OutputJournal, files: FileLayer): void {
  for (const { name } of set.toReversed()) {
    const path = join(folder, name);
    if (exists(files, newPath(folder, name, id)) && exists(files, path)) {
      renamePatiently(files, path, oldPath(folder, name, id));
    }
  }
  for (const { name } of set) {
    const waiting = newPath(folder, name, id);
    if (exists(files, waiting)) renamePatiently(files, waiting, join(folder, name));
  }
  finish(folder, { id, set }, files);
}

/** Puts the old set back, in the same manner. */
export function rollBack(folder: string, { id, files: set }: OutputJournal, files: FileLayer): void {
  for (const { name, replaces } of set.toReversed()) {
    const [path, waiting] = [join(folder, name), newPath(folder, name, id)];
    const isNew = !exists(files, waiting) && (!replaces || exists(files, oldPath(folder, name, id)));
    if (isNew && exists(files, path)) renamePatiently(files, path, waiting);
  }
  for (const { name } of set) {
    const [path, aside] = [join(folder, name), oldPath(folder, name, id)];
    if (exists(files, aside) && !exists(files, path)) renamePatiently(files, aside, path);
  }
  finish(folder, { id, set }, files);
}

/**
 * Completes what a killed run began in this folder, or undoes it where its files are not all there any more.
 * @returns what was done.
 * @throws EdgepackError `output-unwritable` for a journal that cannot be read; what the file system throws, as it is.
 */
export function recoverOutputs(folder: string, files: FileLayer = diskFiles): 'nothing' | 'completed' | 'undone' {
  const path = join(folder, JOURNAL);
  let text: string;
  try {
    text = files.readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'nothing';
    throw error;
  }
  const journal = parse(text);
  if (journal === undefined) {
    throw new EdgepackError('output-unwritable', 'holds a journal that this version of edgepack cannot read', {
      hint: `Choose another folder, or remove ${printable(path, 300)} and what is incomplete beside it.`,
      location: { file: folder },
    });
  }
  if (journal.files.every((file) => isPresent(folder, journal.id, file, files))) {
    try {
      rollForward(folder, journal, files);
      return 'completed';
    } catch {
      // What stands in the way of the new set need not stand in the way of the old one.
    }
  }
  rollBack(folder, journal, files);
  return 'undone';
}

function finish(folder: string, { id, set }: { id: string; set: readonly JournalFile[] }, files: FileLayer): void {
  for (const place of new Set(set.map(({ name }) => dirname(join(folder, name))))) syncFolder(files, place);
  files.rmSync(join(folder, JOURNAL), { force: true });
  for (const name of ['journal', ...set.map((file) => file.name)]) {
    for (const path of [oldPath(folder, name, id), newPath(folder, name, id)]) {
      try {
        files.rmSync(path, { force: true });
      } catch {
        // The next run removes it.
      }
    }
  }
}

function isPresent(folder: string, id: string, { name, sizeBytes, sha256 }: JournalFile, files: FileLayer): boolean {
  for (const path of [newPath(folder, name, id), join(folder, name)]) {
    try {
      if (files.statSync(path).size !== sizeBytes) continue;
      if (createHash('sha256').update(files.readFileSync(path)).digest('hex') === sha256) return true;
    } catch {
      // Not there.
    }
  }
  return false;
}

/** A journal lies in a folder that anyone may have filled: it may name files of this folder only. */
function parse(text: string): OutputJournal | undefined {
  try {
    const journal = JSON.parse(text) as OutputJournal;
    if (journal.version !== 1 || !idPattern.test(journal.id) || !Array.isArray(journal.files)) return undefined;
    const isSound = (file: JournalFile) =>
      isPlainName(file.name) &&
      Number.isSafeInteger(file.sizeBytes) &&
      /^[0-9a-f]{64}$/.test(file.sha256) &&
      typeof file.replaces === 'boolean';
    return journal.files.every(isSound) ? journal : undefined;
  } catch {
    return undefined;
  }
}

function isPlainName(name: unknown): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being refused
  if (typeof name !== 'string' || /[\\:\u0000-\u001f]/.test(name)) return false;
  return name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

export function exists(files: FileLayer, path: string): boolean {
  try {
    files.statSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}

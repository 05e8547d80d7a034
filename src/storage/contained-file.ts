import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { EdgepackError, type ErrorCode } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';

export interface ContainedFileOptions {
  /** Accept hard-linked files, and symbolic links that lead out of the folder (as download caches make them). */
  readonly allowLinks?: boolean;
}

const PIECE_BYTES = 8 * 2 ** 20;

/**
 * A regular file inside a folder, named by a relative path that an untrusted file gave. It is opened for each read, and
 * each read checks that it still is the file that was found at first.
 */
export class ContainedFile {
  /** The relative path as it was given. */
  readonly location: string;
  readonly sizeBytes: number;
  readonly #path: string;
  readonly #status: Stats;

  /**
   * @throws EdgepackError `model-unsafe` where the path leads out of the folder or to anything but a plain file,
   * `model-unreadable` where there is no such file.
   */
  constructor(folder: string, location: string, options: ContainedFileOptions = {}) {
    this.location = location;
    checkLocation(location);
    try {
      const root = realpathSync(folder);
      this.#path = realpathSync(join(root, ...location.split('/')));
      if (options.allowLinks !== true && !isInside(root, this.#path)) {
        throw unsafe(location, 'is a symbolic link out of the folder of the model', LINK_HINT);
      }
      this.#status = lstatSync(this.#path);
    } catch (cause) {
      if (cause instanceof EdgepackError) throw cause;
      const { code } = cause as NodeJS.ErrnoException;
      throw broken(
        'model-unreadable',
        location,
        code === 'ENOENT' ? 'is missing' : `cannot be opened (${code})`,
        cause,
      );
    }
    if (!this.#status.isFile()) throw unsafe(location, 'is not a regular file', 'store the data in a plain file');
    if (options.allowLinks !== true && this.#status.nlink > 1) {
      throw unsafe(location, 'is a hard link, which may share its content with a file elsewhere', LINK_HINT);
    }
    this.sizeBytes = this.#status.size;
  }

  /** Whether a path leads to this very file. */
  isSameAs(path: string): boolean {
    const { ino, dev } = statSync(path);
    return this.#status.ino === ino && this.#status.dev === dev;
  }

  /** Reads a range that lies inside the file. */
  read(offset: number, byteLength: number): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(byteLength);
    this.#withFile((file) => this.#fill(file, bytes, offset));
    return bytes;
  }

  /** The same range in pieces of a few MiB; a piece is overwritten by the next one. */
  *readPieces(offset: number, byteLength: number): Generator<Uint8Array, void, undefined> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(byteLength, PIECE_BYTES));
    for (let done = 0; done < byteLength; ) {
      const piece = buffer.subarray(0, Math.min(buffer.length, byteLength - done));
      this.#withFile((file) => this.#fill(file, piece, offset + done));
      yield piece;
      done += piece.length;
    }
  }

  /** SHA-1 of the whole file in hexadecimal digits: the checksum of ONNX external data. */
  sha1(): string {
    const hash = createHash('sha1');
    for (const piece of this.readPieces(0, this.sizeBytes)) hash.update(piece);
    return hash.digest('hex');
  }

  #withFile(action: (file: number) => void): void {
    let file: number;
    try {
      // Not to follow a link, nor to wait for a pipe, that took the file's place in the meantime.
      file = openSync(this.#path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    } catch (cause) {
      throw broken(
        'model-unreadable',
        this.location,
        `cannot be opened (${(cause as NodeJS.ErrnoException).code})`,
        cause,
      );
    }
    try {
      const now = fstatSync(file);
      const before = this.#status;
      const isSame = now.isFile() && now.ino === before.ino && now.dev === before.dev && now.nlink === before.nlink;
      if (!isSame || now.size !== before.size || now.mtimeMs !== before.mtimeMs) {
        throw broken('model-unreadable', this.location, 'changed while the model was in use');
      }
      action(file);
    } finally {
      closeSync(file);
    }
  }

  #fill(file: number, bytes: Uint8Array, position: number): void {
    for (let offset = 0; offset < bytes.byteLength; ) {
      const count = readSync(file, bytes, offset, Math.min(bytes.byteLength - offset, 2 ** 28), position + offset);
      if (count === 0) throw broken('model-unreadable', this.location, 'shrank while it was read');
      offset += count;
    }
  }
}

const LINK_HINT = 'copy the data file itself beside the model, or add --allow-links if you trust the model';

/** Locations are relative POSIX paths (ONNX specification, "External data"). */
function checkLocation(location: string): void {
  const hint = 'store the data beside the model under a plain relative name';
  const refuse = (reason: string) => unsafe(location, reason, hint);
  if (location === '') throw unsafe(location, 'is no file name', hint);
  if (location.length > 4096) throw refuse('is longer than any path');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being refused
  if (/[\u0000-\u001f\u007f]/.test(location)) throw refuse('contains a control character');
  if (location.includes('\\')) throw refuse('contains a backslash');
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) throw refuse('is a URL or names a drive');
  if (location.startsWith('/')) throw refuse('is an absolute path');
  if (location.split('/').includes('..')) throw refuse("leads out of the folder of the model ('..')");
  if (location.endsWith('/') || location.split('/').includes('') || /^[./]+$/.test(location))
    throw refuse('is no file name');
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !/^([a-z]:|[\\/])/i.test(way);
}

function unsafe(location: string, reason: string, hint: string): EdgepackError {
  return new EdgepackError('model-unsafe', `its data file '${printable(location)}' ${reason}`, { hint });
}

function broken(code: ErrorCode, location: string, reason: string, cause?: unknown): EdgepackError {
  return new EdgepackError(code, `its data file '${printable(location)}' ${reason}`, {
    hint: 'copy the model together with its data files',
    cause,
  });
}

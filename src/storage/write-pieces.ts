import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';

/**
 * Writes a file atomically: into a temporary file of the same folder, flushed to disk, then renamed over `path`.
 * @throws EdgepackError `output-unwritable`; the old file, if any, is then intact.
 */
export function writePieces(path: string, pieces: Iterable<Uint8Array>): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  let file: number | undefined;
  try {
    file = openSync(temporary, 'wx');
    for (const piece of pieces) {
      for (let offset = 0; offset < piece.byteLength; ) offset += writeSync(file, piece, offset);
    }
    fsyncSync(file);
    closeSync(file);
    file = undefined;
    renameSync(temporary, path);
  } catch (cause) {
    if (file !== undefined) closeSync(file);
    rmSync(temporary, { force: true });
    throw new EdgepackError('output-unwritable', `cannot be written (${(cause as NodeJS.ErrnoException).code})`, {
      location: { file: path },
      hint: 'check that the folder exists, is writable and has room',
      cause,
    });
  }
}

import { PendingFile } from './pending-file.ts';

/**
 * Writes a file atomically: into a temporary file of the same folder, flushed to disk, then renamed over `path`.
 * Returns its size in bytes.
 * @throws EdgepackError `output-unwritable`, or what the pieces throw; the old file, if any, is then intact.
 */
export function writePieces(path: string, pieces: Iterable<Uint8Array>): number {
  const file = new PendingFile(path);
  try {
    for (const piece of pieces) file.write(piece);
    file.commit();
  } finally {
    file.discard();
  }
  return file.byteLength;
}

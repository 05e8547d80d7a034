import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { dataError, printablePath, reasonOf } from './data-error.ts';

/**
 * @throws EdgepackError `file-not-found` where there is nothing at `path`, `data-unreadable` for pipes, devices and sockets:
 *   reading them may never end.
 */
export async function statPath(path: string, what: string): Promise<Stats> {
  const status = await statOf(path, what);
  if (status.isFile() || status.isDirectory()) return status;
  throw dataError('data-unreadable', path, 'is neither a file nor a folder', 'copy what it gives into a plain file');
}

async function statOf(path: string, what: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new EdgepackError(
      'file-not-found',
      `${printablePath(path)}: ${what} ${missing ? 'does not exist' : `cannot be opened (${reasonOf(error)})`}`,
      { hint: 'check the path', location: { file: path }, cause: error },
    );
  }
}

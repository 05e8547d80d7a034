import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printablePath, reasonOf } from './data-error.ts';

/** @throws EdgepackError `file-not-found` where there is nothing at `path`. */
export async function statPath(path: string, what: string): Promise<Stats> {
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

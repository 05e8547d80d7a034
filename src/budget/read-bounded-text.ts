import { readFileSync, statSync } from 'node:fs';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';

/**
 * The text of a file that somebody else may have made. What has no end (a pipe, a device) or is too long is not read.
 * @throws EdgepackError `usage`, and what `statSync` throws.
 */
export function readBoundedText(
  path: string,
  { what, maxBytes, hint }: { readonly what: string; readonly maxBytes: number; readonly hint: string },
): string {
  const status = statSync(path);
  if (!status.isFile()) {
    throw new EdgepackError('usage', `${what} is not a regular file`, { location: { file: path }, hint });
  }
  if (status.size > maxBytes) {
    throw new EdgepackError('usage', `${what} of ${status.size} bytes is too large, at most ${maxBytes}`, {
      location: { file: path },
      hint: 'check that this is the right file',
    });
  }
  return readFileSync(path, 'utf8');
}

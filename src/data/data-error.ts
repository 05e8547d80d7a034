import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';

/** Paths are longer than names; the end, which says which file it is, must not be cut off. */
export function printablePath(path: string): string {
  return printable(path, 1000);
}

/**
 * An error about a data file: the message reads `<file>: <what and why>`, the hint says what to do.
 * `data-unreadable` is for files that cannot be read, `data-mismatch` for data that does not fit the model or its labels.
 */
export function dataError(
  code: 'data-unreadable' | 'data-mismatch',
  file: string,
  what: string,
  hint: string,
  cause?: unknown,
): EdgepackError {
  return new EdgepackError(code, `${printablePath(file)}: ${what}`, { hint, location: { file }, cause });
}

/** Which sample an error is about: a file of its own, or the one at `index` in a file of many. */
export interface SampleOrigin {
  readonly file: string;
  readonly index?: number;
}

/** A `data-mismatch` about one sample; `what` goes on after its name, e.g. "is smaller than the crop". */
export function sampleError(origin: SampleOrigin, what: string, hint: string): EdgepackError {
  return dataError(
    'data-mismatch',
    origin.file,
    origin.index === undefined ? what : `sample ${origin.index} ${what}`,
    hint,
  );
}

/** The one line a foreign error has to say. */
export function reasonOf(error: unknown): string {
  return printable((error instanceof Error ? error.message : String(error)).split('\n')[0]!, 200);
}

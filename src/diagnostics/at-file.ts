import { EdgepackError } from './edgepack-error.ts';

/** Runs what knows nothing of files: a known error that it throws names the file. */
export function atFile<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw ofFile(path, error);
  }
}

/** A known error names the file, unless it names one already. */
export function ofFile(path: string, error: unknown): unknown {
  if (!(error instanceof EdgepackError)) return error;
  return new EdgepackError(error.code, error.message, {
    location: { file: path, ...error.location },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error.cause,
  });
}

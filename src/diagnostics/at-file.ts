import { EdgepackError } from './edgepack-error.ts';

/** Runs what knows nothing of files: a known error that it throws names the file. */
export function atFile<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof EdgepackError)) throw error;
    throw new EdgepackError(error.code, error.message, {
      location: { file: path, ...error.location },
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error.cause,
    });
  }
}

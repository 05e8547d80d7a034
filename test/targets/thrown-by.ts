import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';

/** The error that an action ends with. @throws whatever else it throws, and where it throws nothing. */
export function thrownBy(action: () => unknown): EdgepackError {
  try {
    action();
  } catch (error) {
    if (error instanceof EdgepackError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

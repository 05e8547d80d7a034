import type { ErrorCode } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';

/** A failure that the engine's process reports to its parent and survives. */
export class ReportedFailure extends Error {
  override readonly name = 'ReportedFailure';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** Any thrown value as one printable line. */
export function oneLine(error: unknown, maxLength = 400): string {
  const text = error instanceof Error ? error.message : String(error);
  return printable(text.replace(/\s+/g, ' ').trim(), maxLength);
}

/** Runs a piece of the engine: what it throws is about the model, except where memory ran out. */
export async function asEngineFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = oneLine(error);
    const outOfMemory = /bad.?alloc|out of memory|failed to allocate|allocation failed|cannot allocate/i.test(reason);
    throw new ReportedFailure(outOfMemory ? 'engine-failed' : 'model-rejected', reason);
  }
}

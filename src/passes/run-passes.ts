import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import type { Model } from '../ir/model.ts';
import { verify } from '../ir/verify.ts';
import type { Pass, PassContext, PassResult } from './pass.ts';

export interface PassRun extends PassResult {
  readonly pass: string;
  readonly durationMs: number;
}

/**
 * Runs passes one after the other: `requires`, `run`, then `verify`. A failure names the pass and those that ran before.
 * @throws EdgepackError of a pass as it is; `pass-failed` around any other error and around a model left invalid.
 */
export async function runPasses(model: Model, passes: readonly Pass[], context: PassContext): Promise<PassRun[]> {
  const runs: PassRun[] = [];
  for (const pass of passes) {
    context.signal?.throwIfAborted();
    const started = performance.now();
    const before = runs.map((run) => run.pass).join(', ') || 'none';
    try {
      pass.requires?.(model);
      const result = await pass.run(model, context);
      if (result.modified) verify(model);
      runs.push({ ...result, pass: pass.name, durationMs: performance.now() - started });
      context.logger.debug(`${pass.name}: ${result.changes.length} changes`);
    } catch (cause) {
      if (context.signal?.aborted) throw cause;
      const isBreach = cause instanceof EdgepackError && cause.code === 'model-invalid' && runs.length > 0;
      if (cause instanceof EdgepackError && !isBreach) throw cause;
      throw new EdgepackError(
        'pass-failed',
        `pass '${pass.name}' failed: ${(cause as Error).message} (ran before: ${before})`,
        {
          location: { pass: pass.name },
          hint: 'this is a fault of edgepack: please report it with the model',
          cause,
        },
      );
    }
  }
  return runs;
}

import type { Logger } from '../diagnostics/logger.ts';
import type { Model } from '../ir/model.ts';

/** One fact for the report: what was done to which node or tensor. */
export interface PassChange {
  /** A short verb phrase, the same for all changes of a kind: 'fold-batch-normalization', 'keep-float'. */
  readonly kind: string;
  /** Name of the node, tensor or operator concerned. */
  readonly subject: string;
  readonly detail?: string;
}

export interface PassResult {
  readonly modified: boolean;
  readonly changes: readonly PassChange[];
}

export interface PassContext {
  readonly logger: Logger;
  readonly signal?: AbortSignal;
}

/** A graph edit with one purpose. Its factory has validated the options before any model is read. */
export interface Pass {
  /** The file's name. */
  readonly name: string;
  /** Throws an EdgepackError, before anything is touched, where the model cannot take this pass. */
  requires?(model: Model): void;
  /** Edits the model in place. */
  run(model: Model, context: PassContext): PassResult | Promise<PassResult>;
}

/** The result of a pass from the changes it made: no change, not modified. */
export function passResult(changes: readonly PassChange[]): PassResult {
  return { modified: changes.length > 0, changes };
}

import type { Pass } from '../pass.ts';
import { cancelTransposes } from './cancel-transposes.ts';
import { canonicalizeOperators } from './canonicalize-operators.ts';
import { deduplicateInitializers } from './deduplicate-initializers.ts';
import { eliminateCommonSubexpressions } from './eliminate-common-subexpressions.ts';
import { foldAffine } from './fold-affine.ts';
import { foldBatchNormalization } from './fold-batch-normalization.ts';
import { type FoldConstantsOptions, foldConstants } from './fold-constants.ts';
import { foldPad } from './fold-pad.ts';
import { foldShapes } from './fold-shapes.ts';
import { liftConstants } from './lift-constants.ts';
import { mergeTransposes } from './merge-transposes.ts';
import { mergeViews } from './merge-views.ts';
import { removeDeadNodes } from './remove-dead-nodes.ts';
import { removeIdentities } from './remove-identities.ts';
import { sortNodes } from './sort-nodes.ts';

export interface OptimizeOptions {
  /** Options of `fold-constants`; without them, constants that need the engine are not folded. */
  readonly foldConstants?: FoldConstantsOptions;
}

/** What one pass leaves to another is found in the second round; the third is for chains through both. */
export const OPTIMIZE_ROUNDS = 3;

/**
 * The passes that make a model smaller and simpler without changing what it computes (up to rounding where weights are
 * folded), in their order. Public names of inputs and outputs stay; only standard operators are put in.
 * @throws EdgepackError `recipe` for wrong options.
 */
export function optimizePasses(options: OptimizeOptions = {}): Pass[] {
  const round = optimizeRound(options);
  return [...preparingPasses(), ...Array.from({ length: OPTIMIZE_ROUNDS }, () => round).flat()];
}

/** What comes once, before the first round. */
export function preparingPasses(): Pass[] {
  return [sortNodes(), liftConstants()];
}

/** One round; a round that modifies nothing makes further ones needless. */
export function optimizeRound(options: OptimizeOptions = {}): Pass[] {
  const folding = options.foldConstants === undefined ? [] : [foldConstants(options.foldConstants)];
  return [
    removeIdentities(),
    foldShapes(),
    ...folding,
    mergeViews(),
    mergeTransposes(),
    cancelTransposes(),
    canonicalizeOperators(),
    foldPad(),
    foldBatchNormalization(),
    foldAffine(),
    eliminateCommonSubexpressions(),
    removeDeadNodes(),
    deduplicateInitializers(),
  ];
}

import type { StepOptions } from '../recipes/recipe-schema.ts';
import type { ResolvedCompressOptions } from './compress-options.ts';

/**
 * What a recipe says of pruning, with what the user says first. A pattern (n:m) has its own share, so it is pruned as if that
 * had been asked for. 0 where neither says anything.
 */
export function pruneOptions(
  recipe: StepOptions<'prune-magnitude'>,
  { sparsity, scope, maskStructure }: Pick<ResolvedCompressOptions, 'sparsity' | 'scope' | 'maskStructure'>,
): StepOptions<'prune-magnitude'> & { readonly sparsity: number | 'auto' } {
  const structure = maskStructure ?? recipe.maskStructure ?? 'unstructured';
  const given = sparsity ?? recipe.sparsity;
  return {
    ...recipe,
    scope: scope ?? recipe.scope ?? 'global',
    maskStructure: structure,
    sparsity: structure === 'unstructured' || typeof given === 'number' ? (given ?? 0) : shareOf(structure),
  };
}

/** The zeros of a pattern as a share; one that leaves every weight is refused where it is used. */
function shareOf(pattern: string): number {
  const [kept, group] = pattern.split(':').map(Number) as [number, number];
  return Math.max(0.01, 1 - kept / group);
}

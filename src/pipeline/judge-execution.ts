import type { Measured } from '../budget/evidence.ts';
import type { ExecutionName, ReportExecution } from '../report/execution-schema.ts';

/** A variant of the compressed model, and its time as a multiple of the original's. */
export interface TimedVariant {
  readonly execution: ExecutionName;
  /** What it is, where there are several of a kind. */
  readonly detail: string;
  /** The engine runs the kernels of the original: it can only be as fast. */
  readonly sameKernels: boolean;
  readonly ratio: Measured;
}

export type Verdict = ReportExecution['variants'][number]['verdict'];

/**
 * What a ratio says. Where the interval holds 1, the same kernels are taken to be as fast as the original; with others
 * a ratio up to 1 is not slower, and one above it counts as slower.
 */
export function verdictOf({ sameKernels, ratio }: Pick<TimedVariant, 'sameKernels' | 'ratio'>): Verdict {
  if (ratio.high < 1) return 'faster';
  if (ratio.low > 1) return 'slower';
  return sameKernels || ratio.value <= 1 ? 'not-slower' : 'undecided';
}

export function isAcceptable(variant: Pick<TimedVariant, 'sameKernels' | 'ratio'>): boolean {
  const verdict = verdictOf(variant);
  return verdict === 'faster' || verdict === 'not-slower';
}

/** Whether more measuring may change which variants are acceptable. */
export function isOpen({ sameKernels, ratio }: Pick<TimedVariant, 'sameKernels' | 'ratio'>): boolean {
  return !sameKernels && ratio.low <= 1 && ratio.high >= 1;
}

/** A mixed model has to be this much faster than all in float, which is nearer to the original in its answers. */
const WORTHWHILE_MIX = 0.97;

/**
 * Which variant is shipped: what the recipe made, the first one, if it is not slower; else the fastest of the others that are
 * not, float where mixing gains little. Undefined where all are slower.
 */
export function chooseExecution<Variant extends TimedVariant>(variants: readonly Variant[]): Variant | undefined {
  const [recipe, ...others] = variants;
  if (recipe === undefined || isAcceptable(recipe)) return recipe;
  const fastest = (candidates: readonly Variant[]) =>
    candidates.reduce<Variant | undefined>(
      (best, next) => (best === undefined || next.ratio.value < best.ratio.value ? next : best),
      undefined,
    );
  const acceptable = others.filter(isAcceptable);
  const plain = fastest(acceptable.filter(({ execution }) => execution !== 'mixed'));
  const mixed = fastest(acceptable.filter((it) => it.execution === 'mixed' && verdictOf(it) === 'faster'));
  if (mixed === undefined || plain === undefined) return plain ?? mixed;
  return mixed.ratio.value < WORTHWHILE_MIX * plain.ratio.value ? mixed : plain;
}

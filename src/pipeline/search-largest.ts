import type { Verdict } from './loss-judge.ts';

/** What is searched for: the plan of the fewest bits that is admissible. */
export interface SearchOptions<Plan extends SizedPlan> {
  /** The model as it is without any plan. */
  readonly base: Verdict;
  /** The plan of the fewest bits that is expected to add at most this noise. */
  readonly plan: (addedNoise: number) => Plan;
  readonly judge: (plan: Plan) => Promise<Verdict>;
  /** Asked before each try: why to stop, undefined to go on. */
  readonly stopped: () => string | undefined;
  /** Told when there is something to fall back on. */
  readonly onBest?: () => void;
  readonly onTry?: (tried: number) => void;
}

export interface SizedPlan {
  readonly bits: number;
  /** Two plans of one key are the same. */
  readonly key: string;
}

export interface Tried<Plan> {
  readonly plan: Plan;
  readonly verdict: Verdict;
}

export interface SearchResult<Plan> {
  /** The smallest admissible plan; undefined where none was found. */
  readonly best: Tried<Plan> | undefined;
  readonly tried: readonly Tried<Plan>[];
  /** Why it ended. */
  readonly ended: string;
}

/** Variants that are built and judged, the most. */
export const MAX_TRIES = 6;
/** Close enough: the noise of the best is this share of what may be, or its bits this share of what was refused. */
const CLOSE = 0.92;
const CLOSE_BITS = 0.96;

/**
 * Searches along the noise that a plan adds. Noise that was expected is set against noise that was measured after every try,
 * and the next try aims anew; what was found admissible, and what was not, bounds it.
 */
export async function searchLargest<Plan extends SizedPlan>(options: SearchOptions<Plan>): Promise<SearchResult<Plan>> {
  const { base, plan, judge, stopped, onBest, onTry } = options;
  const tried: Tried<Plan>[] = [];
  let best: Tried<Plan> | undefined;
  const result = (ended: string): SearchResult<Plan> => ({ best, tried, ended });
  const room = base.noiseLimit - base.noise;
  if (!base.admissible || room <= (1 - CLOSE) * base.noiseLimit) return result('int8 alone takes up the limit');
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let target = room;
  while (tried.length < MAX_TRIES) {
    const reason = stopped();
    if (reason !== undefined) return result(reason);
    const next = plan(target);
    if (tried.some((other) => other.plan.key === next.key)) return result('nothing lies between the plans tried');
    const verdict = await judge(next);
    const latest = { plan: next, verdict };
    tried.push(latest);
    onTry?.(tried.length);
    if (verdict.admissible) {
      low = target;
      if (best === undefined || next.bits < best.plan.bits) best = latest;
      onBest?.();
      if (verdict.noise >= CLOSE * verdict.noiseLimit) return result('the limit is reached');
    } else high = target;
    const refused = tried.filter((other) => !other.verdict.admissible).map((other) => other.plan.bits);
    if (best !== undefined && best.plan.bits * CLOSE_BITS <= Math.max(...refused))
      return result('the limit is reached');
    target = aim(target, (verdict.noiseLimit - base.noise) / (verdict.noise - base.noise), low, high);
  }
  return result(`${MAX_TRIES} variants were tried`);
}

/** The next target: by the last ratio of wanted to measured noise, inside the bounds and away from them. */
function aim(target: number, ratio: number, low: number, high: number): number {
  const scaled = target * (ratio > 0 && Number.isFinite(ratio) ? Math.min(4, Math.max(0.2, ratio * 0.97)) : 0.2);
  if (high === Number.POSITIVE_INFINITY) return Math.max(scaled, low * 1.15);
  if (low === 0) return Math.min(scaled, high * 0.7);
  return scaled > low * 1.03 && scaled < high * 0.97 ? scaled : Math.sqrt(low * high);
}

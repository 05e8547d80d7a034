import { entropyBits, tableBits } from './estimate-bits.ts';
import { levelCount, maxClassCount } from './symbol-classes.ts';

export interface MergedLevels {
  readonly classOf: Uint8Array;
  readonly counts: readonly Uint32Array[];
  /** Estimated cost of symbols and tables. */
  readonly bits: number;
}

interface Group {
  readonly counts: Uint32Array;
  readonly first: number;
  readonly bits: number;
}

function group(counts: Uint32Array, first: number): Group {
  return { counts, first, bits: entropyBits(counts) + tableBits(counts) };
}

function joined(a: Group, b: Group): Group {
  const counts = new Uint32Array(256);
  for (let s = 0; s < 256; s++) counts[s] = a.counts[s]! + b.counts[s]!;
  return group(counts, a.first);
}

/**
 * Joins neighbouring levels into classes as long as that saves bits: a table more costs its own size, a table less codes symbols of
 * different spread alike. Greedy, the best pair first. `histogram` holds 256 counts per level.
 */
export function mergeLevels(histogram: Uint32Array): MergedLevels {
  const groups: Group[] = [];
  for (let level = 0; level < levelCount; level++) {
    const from = level * 256;
    let used = false;
    for (let s = 0; s < 256 && !used; s++) used = histogram[from + s]! > 0;
    if (used) groups.push(group(histogram.slice(from, from + 256), level));
  }
  const pairs = groups.slice(1).map((right, i) => joined(groups[i]!, right));
  const saving = (i: number): number => groups[i]!.bits + groups[i + 1]!.bits - pairs[i]!.bits;
  while (groups.length > 1) {
    let best = 0;
    for (let i = 1; i < pairs.length; i++) if (saving(i) > saving(best)) best = i;
    if (saving(best) <= 0 && groups.length <= maxClassCount) break;
    groups.splice(best, 2, pairs[best]!);
    pairs.splice(best, 1);
    if (best > 0) pairs[best - 1] = joined(groups[best - 1]!, groups[best]!);
    if (best < pairs.length) pairs[best] = joined(groups[best]!, groups[best + 1]!);
  }
  const classOf = new Uint8Array(levelCount);
  for (let level = 0, k = 0; level < levelCount; level++) {
    if (k + 1 < groups.length && groups[k + 1]!.first <= level) k++;
    classOf[level] = k;
  }
  return { classOf, counts: groups.map((g) => g.counts), bits: groups.reduce((sum, g) => sum + g.bits, 0) };
}

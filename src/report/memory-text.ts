import { printable } from '../diagnostics/printable.ts';
import type { Target } from '../targets/target-schema.ts';
import type { MemoryDemand } from './memory-schema.ts';
import { formatBytes, formatPercent } from './number-format.ts';

type Memory = Pick<Target['memory'], 'minSizeBytes' | 'maxSizeBytes'>;

/** A model that takes more of a device's memory than this leaves too little for everything else that runs there. */
const LARGE_SHARE = 0.5;

/** Weights and activations together; null where one of them is not known. */
export function demandBytes({ weightBytes, peakActivationBytes }: MemoryDemand): number | null {
  return weightBytes === null || peakActivationBytes === null ? null : weightBytes + peakActivationBytes;
}

/** "18.5 MB weights + 6.6 MB activations at the peak", or why there is no number. */
export function describeDemand(demand: MemoryDemand): string {
  const { weightBytes, peakActivationBytes, missing } = demand;
  if (weightBytes === null || peakActivationBytes === null) return `no number: ${printable(missing ?? '', 300)}`;
  return `${formatBytes(weightBytes)} weights + ${formatBytes(peakActivationBytes)} activations at the peak`;
}

/** "at node X (Conv)": when the most is in memory. */
export function describePeak({ peakNode }: MemoryDemand): string {
  return peakNode === null ? '' : ` (while ${printable(peakNode.opType, 40)} ${printable(peakNode.name, 60)} runs)`;
}

/** "2.3 % of 1.07 GB, 0.3 % of 8.59 GB": of the smallest and the largest board; empty where neither is known. */
export function describeShares(needBytes: number, { minSizeBytes, maxSizeBytes }: Memory): string {
  const sizes = [...new Set([minSizeBytes, maxSizeBytes])].filter((size) => size !== null);
  return sizes.map((size) => `${formatPercent(needBytes / size)} of ${formatBytes(size)}`).join(', ');
}

/** Dimensions that count as 1, in words; empty where there are none. */
export function describeOpen({ openDimensions }: MemoryDemand): string {
  if (openDimensions.length === 0) return '';
  const names = openDimensions.slice(0, 8).map((name) => `'${printable(name, 40)}'`);
  const more = openDimensions.length > names.length ? ` and ${openDimensions.length - names.length} more` : '';
  return `open dimensions (${names.join(', ')}${more}) count as 1`;
}

/** What a user must know who puts a model on the smallest of these boards; undefined where it takes little. */
export function memoryWarning(
  demand: MemoryDemand,
  target: Pick<Target, 'displayName' | 'memory'>,
): { readonly code: string; readonly message: string } | undefined {
  const need = demandBytes(demand);
  const { minSizeBytes: smallest, maxSizeBytes: largest } = target.memory;
  if (need === null || smallest === null || need <= LARGE_SHARE * smallest) return undefined;
  const takes = `${describeDemand(demand)} take ${describeShares(need, target.memory)} on ${printable(target.displayName, 80)}`;
  if (need <= smallest) return { code: 'memory-large', message: `${takes}: little is left for everything else` };
  const where = largest !== null && need > largest ? 'any of these boards' : 'the smallest of these boards';
  return { code: 'memory-exceeded', message: `${takes}: the model does not fit into ${where}` };
}

import type { BlockLayout } from '../../codec/block-layout.ts';
import { maxMixedBytes } from '../../codec/mix-parts.ts';
import { type Derivation, findDerivations } from './derived-sections.ts';
import { StreamKind } from './epk-format.ts';

/** A skeleton or a section, as the planner sees it. */
export interface PlannedPart {
  readonly bytes: Uint8Array;
  readonly layout: BlockLayout;
  readonly dataType: number;
  readonly isSkeleton: boolean;
}

/** What goes into one stream: indices of parts. */
export interface PlannedStream {
  readonly kind: number;
  readonly parts: readonly number[];
  /** Of each part, in a stream of derived sections. */
  readonly derivations: readonly Derivation[];
}

/** Models up to this size are coded by context mixing throughout, if not asked otherwise: decoding them takes about a second at most. */
export const defaultMixingLimitBytes = 640 * 1024;
/** Sections of one mixed stream are decoded together, so that it is kept small for access to a single one. */
const mixedStreamBytes = 128 * 1024;
/** Graphs above this size, of ten thousand nodes, would take seconds. */
const maxMixedSkeletonBytes = 160 * 1024;
/** Floats above this size gain too little for their time. */
const maxMixedFloatBytes = 32 * 1024;

/** Distributes parts (all skeletons first, then all sections in order) over streams. */
export function planStreams(parts: readonly PlannedPart[], mixingLimitBytes: number): PlannedStream[] {
  const streams: PlannedStream[] = [];
  const total = parts.reduce((sum, part) => sum + part.bytes.length, 0);
  const mixes = (part: PlannedPart): boolean =>
    total <= Math.min(mixingLimitBytes, maxMixedBytes) && part.bytes.length <= mostMixedBytes(part);
  const skeletonCount = parts.filter((part) => part.isSkeleton).length;
  const derivations = findDerivations(parts.slice(skeletonCount));
  let pool: number[] = [];
  let pooled = 0;
  const flush = (): void => {
    if (pool.length > 0) streams.push({ kind: StreamKind.mixing, parts: pool, derivations: [] });
    pool = [];
    pooled = 0;
  };
  parts.forEach((part, index) => {
    if (derivations.has(index - skeletonCount)) return;
    if (index === skeletonCount || (pooled > 0 && pooled + part.bytes.length > mixedStreamBytes)) flush();
    if (mixes(part)) {
      pool.push(index);
      pooled += part.bytes.length;
    } else streams.push({ kind: StreamKind.block, parts: [index], derivations: [] });
  });
  flush();
  if (derivations.size > 0) {
    streams.push({
      kind: StreamKind.derived,
      parts: [...derivations.keys()].map((index) => index + skeletonCount),
      derivations: [...derivations.values()],
    });
  }
  return streams;
}

function mostMixedBytes({ isSkeleton, layout }: PlannedPart): number {
  if (isSkeleton) return maxMixedSkeletonBytes;
  return layout.elementBytes === 1 ? maxMixedBytes : maxMixedFloatBytes;
}

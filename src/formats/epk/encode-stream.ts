import { BinaryEncoder } from '../../codec/binary-encoder.ts';
import { encodeBlock } from '../../codec/encode-block.ts';
import { mixParts } from '../../codec/mix-parts.ts';
import { encodeDerivations } from './derived-sections.ts';
import { StreamKind } from './epk-format.ts';
import { graphPrior } from './graph-primer.ts';
import { joinBytes } from './join-bytes.ts';
import type { PlannedPart, PlannedStream } from './plan-streams.ts';

export interface EncodedStream {
  readonly coded: Uint8Array;
  /** How many of the coded bytes each part takes; their sum is the length of `coded`. */
  readonly partBytes: readonly number[];
}

/** Codes the parts of one stream; `decodeStream` is the inverse. */
export function encodeStream(
  stream: Pick<PlannedStream, 'kind' | 'derivations'>,
  parts: readonly Pick<PlannedPart, 'bytes' | 'layout'>[],
): EncodedStream {
  if (stream.kind === StreamKind.derived) {
    const pieces = encodeDerivations(stream.derivations);
    return { coded: joinBytes(pieces), partBytes: pieces.map((piece) => piece.length) };
  }
  if (stream.kind === StreamKind.block) {
    const { bytes, layout } = parts[0]!;
    const coded = encodeBlock(bytes, layout);
    return { coded, partBytes: [coded.length] };
  }
  const encoder = new BinaryEncoder();
  const ends: number[] = [];
  // The models write what they code back into the parts: give them copies.
  const copies = parts.map(({ bytes, layout }) => ({ bytes: bytes.slice(), layout }));
  mixParts(encoder, copies, graphPrior, () => ends.push(encoder.length));
  const coded = encoder.finish();
  const last = ends.length - 1;
  for (let i = 0; i <= last; i++) ends[i] = i === last ? coded.length : Math.min(ends[i]!, coded.length);
  return { coded, partBytes: ends.map((end, i) => end - (i > 0 ? ends[i - 1]! : 0)) };
}

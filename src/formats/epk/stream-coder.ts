import { BinaryDecoder } from '../../codec/binary-decoder.ts';
import type { BlockLayout } from '../../codec/block-layout.ts';
import { decodeBlock } from '../../codec/decode-block.ts';
import { mixParts } from '../../codec/mix-parts.ts';
import { type EncodedStream, encodeStream } from './encode-stream.ts';
import { StreamKind } from './epk-format.ts';
import { graphPrior } from './graph-primer.ts';
import type { PlannedStream } from './plan-streams.ts';

export interface StreamPart {
  readonly bytes: Uint8Array;
  readonly layout: BlockLayout;
}

/** A stream to encode with its parts, or to decode into them. Streams of derived sections are never among them. */
export interface StreamToEncode {
  readonly stream: Pick<PlannedStream, 'kind' | 'derivations'>;
  readonly parts: readonly StreamPart[];
}

export interface StreamToDecode {
  readonly kind: number;
  readonly coded: Uint8Array;
  /** Filled. */
  readonly parts: readonly StreamPart[];
}

/** Who codes the streams of a file: this thread, or several. The bytes are the same. */
export interface StreamCoder {
  encode(streams: readonly StreamToEncode[]): Promise<readonly EncodedStream[]>;
  decode(streams: readonly StreamToDecode[]): Promise<void>;
}

/** Decodes a stream that derives from no other. Throws `CorruptStreamError`. */
export function decodeStream({ kind, coded, parts }: StreamToDecode): void {
  if (kind === StreamKind.mixing) mixParts(new BinaryDecoder(coded), parts, graphPrior);
  else decodeBlock(coded, parts[0]!.bytes, parts[0]!.layout);
}

/** Codes in this thread, one stream after the other. */
export const inlineCoder: StreamCoder = {
  encode: async (streams) => streams.map(({ stream, parts }) => encodeStream(stream, parts)),
  decode: async (streams) => streams.forEach(decodeStream),
};

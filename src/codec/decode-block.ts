import { BinaryDecoder } from './binary-decoder.ts';
import { type BlockLayout, byteLayout } from './block-layout.ts';
import { BlockMethod } from './block-method.ts';
import { joinPlanes } from './byte-planes.ts';
import { ByteReader } from './byte-reader.ts';
import { CorruptStreamError } from './corrupt-stream-error.ts';
import { decodeRans } from './decode-rans.ts';
import { applyLzSequences } from './lz-sequences.ts';
import { maxMixedBytes, mixParts } from './mix-parts.ts';
import { joinZeroRuns } from './zero-runs.ts';

/** Blocks within blocks: planes (or copies) of zero runs of bytes is as deep as an encoder goes. */
const maxDepth = 2;

/** Inverse of `encodeBlock`: fills `out`, whose length and layout the caller knows. Throws `CorruptStreamError`. */
export function decodeBlock(coded: Uint8Array, out: Uint8Array, layout: BlockLayout, depth = 0): void {
  if (depth > maxDepth) throw new CorruptStreamError('blocks are nested too deeply');
  const reader = new ByteReader(coded);
  const method = reader.u8();
  if (method === BlockMethod.raw) {
    if (reader.remaining !== out.length) throw new CorruptStreamError('a stored block has the wrong length');
    out.set(reader.rest());
  } else if (method === BlockMethod.constant) {
    out.fill(reader.u8());
    if (reader.remaining > 0) throw new CorruptStreamError('a block has bytes left over');
  } else if (method === BlockMethod.rans && layout.elementBytes === 1) {
    decodeRans(reader.rest(), out, layout.rows, layout.columns);
  } else if (method === BlockMethod.zeroRun && layout.elementBytes === 1) {
    decodeZeroRuns(reader, out, depth);
  } else if (method === BlockMethod.planes && layout.elementBytes > 1) {
    decodePlanes(reader, out, layout, depth);
  } else if (method === BlockMethod.lz) {
    decodeLz(reader, out, depth);
  } else if (method === BlockMethod.mixing && out.length <= maxMixedBytes) {
    mixParts(new BinaryDecoder(reader.rest()), [{ bytes: out, layout }]);
  } else throw new CorruptStreamError(`block method ${method} is unknown here`);
}

function decodeZeroRuns(reader: ByteReader, out: Uint8Array, depth: number): void {
  const zero = reader.u8();
  const runs = new Uint8Array(reader.varint(out.length + Math.floor(out.length / 255) + 1));
  const rest = new Uint8Array(reader.varint(out.length));
  decodeBlock(reader.bytes(reader.varint(reader.remaining)), runs, byteLayout(runs.length), depth + 1);
  decodeBlock(reader.rest(), rest, byteLayout(rest.length), depth + 1);
  if (!joinZeroRuns({ runs, rest }, zero, out)) throw new CorruptStreamError('runs of zeros do not fill their block');
}

function decodeLz(reader: ByteReader, out: Uint8Array, depth: number): void {
  const next = (): Uint8Array => {
    // No stream of sequences is longer than the block: each byte of them stands for a byte of it at least.
    const bytes = new Uint8Array(reader.varint(out.length));
    decodeBlock(reader.bytes(reader.varint(reader.remaining)), bytes, byteLayout(bytes.length), depth + 1);
    return bytes;
  };
  const sequences = {
    literals: next(),
    literalRuns: next(),
    lengths: next(),
    distanceCodes: next(),
    distanceBits: next(),
  };
  if (reader.remaining > 0 || !applyLzSequences(sequences, out)) {
    throw new CorruptStreamError('copies of earlier bytes do not fill their block');
  }
}

function decodePlanes(reader: ByteReader, out: Uint8Array, layout: BlockLayout, depth: number): void {
  const { elementBytes, kind } = layout;
  if (kind === 'bytes') throw new CorruptStreamError('a block of bytes has no planes');
  const planeLayout: BlockLayout = { ...layout, elementBytes: 1, kind: 'bytes' };
  const planes: Uint8Array[] = [];
  for (let p = 0; p < elementBytes; p++) {
    const plane = new Uint8Array(out.length / elementBytes);
    const coded = p < elementBytes - 1 ? reader.bytes(reader.varint(reader.remaining)) : reader.rest();
    decodeBlock(coded, plane, planeLayout, depth + 1);
    planes.push(plane);
  }
  joinPlanes(planes, kind, out);
}

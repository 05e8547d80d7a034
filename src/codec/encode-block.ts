import { BinaryEncoder } from './binary-encoder.ts';
import { type BlockLayout, byteLayout } from './block-layout.ts';
import { BlockMethod } from './block-method.ts';
import { splitPlanes } from './byte-planes.ts';
import { ByteWriter } from './byte-writer.ts';
import { encodeRans } from './encode-rans.ts';
import { entropyBits, tableBits } from './estimate-bits.ts';
import { findSymbolClasses } from './find-symbol-classes.ts';
import { findLzSequences } from './lz-sequences.ts';
import { mixParts } from './mix-parts.ts';
import { splitZeroRuns } from './zero-runs.ts';

/** Codes bytes by whichever method is estimated to be the shortest: as they are, one value, entropy-coded, without zeros, by planes. */
export function encodeBlock(bytes: Uint8Array, layout: BlockLayout, depth = 0): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(BlockMethod.raw);
  const raw = (): Uint8Array => withMethod(BlockMethod.raw, bytes);
  if (isConstant(bytes)) return Uint8Array.of(BlockMethod.constant, bytes[0]!);
  const coded = layout.elementBytes > 1 ? encodePlanes(bytes, layout) : encodeSymbols(bytes, layout, depth);
  const best = coded !== undefined && coded.length <= bytes.length ? coded : raw();
  if (depth > 0 || !isRepetitive(bytes, layout)) return best;
  const copied = encodeLz(bytes);
  return copied.length < best.length ? copied : best;
}

const probeBytes = 16;
const maxProbes = 8192;

/** Whether it is worth looking for repetitions: always in blocks of plain bytes up to 8 MiB, elsewhere where samples of 16 bytes recur. */
function isRepetitive(bytes: Uint8Array, layout: BlockLayout): boolean {
  if (bytes.length < 4 * probeBytes || bytes.length > 1 << 28) return false;
  if (layout.kind === 'bytes' && bytes.length <= 1 << 23) return true;
  const step = Math.max(probeBytes, Math.floor(bytes.length / maxProbes / probeBytes) * probeBytes);
  const seen = new Uint32Array(1 << 14);
  let probes = 0;
  let repeats = 0;
  for (let i = 0; i + probeBytes <= bytes.length; i += step) {
    let hash = 0;
    for (let k = 0; k < probeBytes; k++) hash = Math.imul(hash ^ bytes[i + k]!, 0x01000193) + k;
    hash = (hash ^ (hash >>> 15)) >>> 0;
    if (seen[hash & 16383] === hash) repeats++;
    seen[hash & 16383] = hash;
    probes++;
  }
  return repeats > probes / 16;
}

function encodeLz(bytes: Uint8Array): Uint8Array {
  const { literals, literalRuns, lengths, distanceCodes, distanceBits } = findLzSequences(bytes);
  const writer = new ByteWriter();
  for (const stream of [literals, literalRuns, lengths, distanceCodes, distanceBits]) {
    const coded = encodeBlock(stream, { ...byteLayout(stream.length), kind: 'unsigned' }, 1);
    writer.varint(stream.length);
    writer.varint(coded.length);
    writer.bytes(coded);
  }
  return withMethod(BlockMethod.lz, writer.finish());
}

/** Codes a block of at most `maxMixedBytes` by context mixing, for `decodeBlock`: slow, and worth it for a few kilobytes. */
export function encodeMixedBlock(bytes: Uint8Array, layout: BlockLayout): Uint8Array {
  const encoder = new BinaryEncoder();
  mixParts(encoder, [{ bytes: bytes.slice(), layout }]);
  const coded = encoder.finish();
  return coded.length < bytes.length ? withMethod(BlockMethod.mixing, coded) : withMethod(BlockMethod.raw, bytes);
}

function isConstant(bytes: Uint8Array): boolean {
  const first = bytes[0]!;
  for (let i = 1; i < bytes.length; i++) if (bytes[i] !== first) return false;
  return true;
}

function withMethod(method: number, ...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0));
  out[0] = method;
  let at = 1;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function countBytes(bytes: Uint8Array): Uint32Array {
  const counts = new Uint32Array(256);
  for (let i = 0; i < bytes.length; i++) counts[bytes[i]!] = counts[bytes[i]!]! + 1;
  return counts;
}

/** Bytes without known structure that one table does not make shorter than this (mantissas) are stored as they are. */
const incompressibleShare = 0.998;

function encodeSymbols(bytes: Uint8Array, layout: BlockLayout, depth: number, kind?: 'level'): Uint8Array | undefined {
  const { rows, columns, kernelSize } = layout;
  const total = countBytes(bytes);
  if (kind === undefined && layout.kind === 'bytes') {
    const single = entropyBits(total) + tableBits(total);
    if (single > incompressibleShare * 8 * bytes.length) return undefined;
  }
  const symbolKind = kind ?? (layout.kind === 'signed' ? 'signed' : 'unsigned');
  const found = findSymbolClasses(bytes, { rows, columns, kernelSize, kind: symbolKind });
  let zero = 0;
  for (let s = 1; s < 256; s++) if (total[s]! > total[zero]!) zero = s;
  if (depth <= 1 && total[zero]! > 0.4 * bytes.length) {
    const { runs, rest } = splitZeroRuns(bytes, zero);
    const [runCounts, restCounts] = [countBytes(runs), countBytes(rest)];
    const bits = entropyBits(runCounts) + tableBits(runCounts) + entropyBits(restCounts) + tableBits(restCounts) + 400;
    if (bits < found.bits) return encodeZeroRuns(runs, rest, zero, depth + 1);
  }
  if (found.bits / 8 + 12 >= bytes.length) return undefined;
  return withMethod(BlockMethod.rans, encodeRans(bytes, found.classes, found.counts, tableLogFor(bytes.length)));
}

/** Larger tables follow rare symbols better and cost the decoder cache. */
function tableLogFor(byteLength: number): number {
  return byteLength < 1 << 15 ? 12 : byteLength < 1 << 18 ? 13 : 14;
}

function encodeZeroRuns(runs: Uint8Array, rest: Uint8Array, zero: number, depth: number): Uint8Array {
  const codedRuns = encodeBlock(runs, byteLayout(runs.length), depth);
  const writer = new ByteWriter();
  writer.u8(zero);
  writer.varint(runs.length);
  writer.varint(rest.length);
  writer.varint(codedRuns.length);
  writer.bytes(codedRuns);
  writer.bytes(encodeBlock(rest, byteLayout(rest.length), depth));
  return withMethod(BlockMethod.zeroRun, writer.finish());
}

function encodePlanes(bytes: Uint8Array, layout: BlockLayout): Uint8Array | undefined {
  if (layout.kind === 'bytes') return undefined;
  const planes = splitPlanes(bytes, layout.elementBytes, layout.kind);
  const writer = new ByteWriter();
  planes.forEach((plane, p) => {
    const coded = encodePlane(plane, layout, p === 0);
    if (p < planes.length - 1) writer.varint(coded.length);
    writer.bytes(coded);
  });
  return withMethod(BlockMethod.planes, writer.finish());
}

function encodePlane(plane: Uint8Array, layout: BlockLayout, first: boolean): Uint8Array {
  if (plane.length > 0 && isConstant(plane)) return Uint8Array.of(BlockMethod.constant, plane[0]!);
  const planeLayout: BlockLayout = { ...layout, elementBytes: 1, kind: 'bytes' };
  const coded = encodeSymbols(plane, planeLayout, 1, first && layout.kind === 'float' ? 'level' : undefined);
  return coded !== undefined && coded.length <= plane.length ? coded : withMethod(BlockMethod.raw, plane);
}

import { BinaryEncoder } from './binary-encoder.ts';
import { type BlockLayout, byteLayout } from './block-layout.ts';
import { BlockMethod } from './block-method.ts';
import { splitPlanes } from './byte-planes.ts';
import { ByteWriter } from './byte-writer.ts';
import { encodeRans } from './encode-rans.ts';
import { entropyBits, tableBits } from './estimate-bits.ts';
import { findSymbolClasses } from './find-symbol-classes.ts';
import { mixParts } from './mix-parts.ts';
import { splitZeroRuns } from './zero-runs.ts';

/** Codes bytes by whichever method is estimated to be the shortest: as they are, one value, entropy-coded, without zeros, by planes. */
export function encodeBlock(bytes: Uint8Array, layout: BlockLayout): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(BlockMethod.raw);
  const raw = (): Uint8Array => withMethod(BlockMethod.raw, bytes);
  if (isConstant(bytes)) return Uint8Array.of(BlockMethod.constant, bytes[0]!);
  const coded = layout.elementBytes > 1 ? encodePlanes(bytes, layout) : encodeSymbols(bytes, layout);
  return coded !== undefined && coded.length <= bytes.length ? coded : raw();
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

/** Above this many bits a byte, classes are not looked for: there is nothing to be had (mantissas). */
const incompressibleBits = 7.99;

function encodeSymbols(bytes: Uint8Array, layout: BlockLayout, kind?: 'level'): Uint8Array | undefined {
  const { rows, columns, kernelSize } = layout;
  const total = countBytes(bytes);
  if (kind === undefined && layout.kind === 'bytes' && entropyBits(total) > incompressibleBits * bytes.length)
    return undefined;
  const symbolKind = kind ?? (layout.kind === 'signed' ? 'signed' : 'unsigned');
  const found = findSymbolClasses(bytes, { rows, columns, kernelSize, kind: symbolKind });
  let zero = 0;
  for (let s = 1; s < 256; s++) if (total[s]! > total[zero]!) zero = s;
  if (total[zero]! > 0.4 * bytes.length) {
    const { runs, rest } = splitZeroRuns(bytes, zero);
    const [runCounts, restCounts] = [countBytes(runs), countBytes(rest)];
    const bits = entropyBits(runCounts) + tableBits(runCounts) + entropyBits(restCounts) + tableBits(restCounts) + 400;
    if (bits < found.bits) return encodeZeroRuns(runs, rest, zero);
  }
  if (found.bits / 8 + 12 >= bytes.length) return undefined;
  return withMethod(BlockMethod.rans, encodeRans(bytes, found.classes, found.counts, tableLogFor(bytes.length)));
}

/** Larger tables follow rare symbols better and cost the decoder cache. */
function tableLogFor(byteLength: number): number {
  return byteLength < 1 << 15 ? 12 : byteLength < 1 << 18 ? 13 : 14;
}

function encodeZeroRuns(runs: Uint8Array, rest: Uint8Array, zero: number): Uint8Array {
  const codedRuns = encodeBlock(runs, byteLayout(runs.length));
  const writer = new ByteWriter();
  writer.u8(zero);
  writer.varint(runs.length);
  writer.varint(rest.length);
  writer.varint(codedRuns.length);
  writer.bytes(codedRuns);
  writer.bytes(encodeBlock(rest, byteLayout(rest.length)));
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
  const coded = encodeSymbols(plane, planeLayout, first && layout.kind === 'float' ? 'level' : undefined);
  return coded !== undefined && coded.length <= plane.length ? coded : withMethod(BlockMethod.raw, plane);
}

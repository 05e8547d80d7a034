import { ByteReader } from '../../codec/byte-reader.ts';
import { ByteWriter } from '../../codec/byte-writer.ts';
import { CorruptStreamError } from '../../codec/corrupt-stream-error.ts';
import { crc32 } from '../../codec/crc32.ts';
import { DataType } from '../../tensor/data-type.ts';

/** A section that follows from another: the same bytes, or float32 values that are the other's times one factor, rounded. */
export interface Derivation {
  /** Index of the other section, counted over all files in order. */
  readonly source: number;
  /** The factor's float32 bits; absent for a copy. */
  readonly factorBits?: number;
}

interface Candidate {
  readonly bytes: Uint8Array;
  readonly dataType: number;
}

/** Fewer bytes cost about as much to derive as to code. */
const minBytes = 32;
/** How many sections of the same size are tried. */
const maxTries = 256;

/**
 * Finds sections that need not be coded. In quantized models the scale of a bias is that of its input times those of the weights, so
 * that a whole tensor of scales follows from another and one number.
 */
export function findDerivations(sections: readonly Candidate[]): Map<number, Derivation> {
  const found = new Map<number, Derivation>();
  const bySize = new Map<number, number[]>();
  const byContent = new Map<string, number>();
  sections.forEach(({ bytes, dataType }, index) => {
    if (bytes.length < minBytes) return;
    const key = `${bytes.length} ${crc32(bytes)}`;
    const twin = byContent.get(key);
    if (twin !== undefined && sameBytes(sections[twin]!.bytes, bytes)) {
      found.set(index, { source: twin });
      return;
    }
    if (dataType === DataType.float32 && bytes.length % 4 === 0) {
      const earlier = bySize.get(bytes.length) ?? [];
      for (const source of earlier.slice(-maxTries)) {
        const factorBits = findFactor(sections[source]!.bytes, bytes);
        if (factorBits === undefined) continue;
        found.set(index, { source, factorBits });
        return;
      }
      earlier.push(index);
      bySize.set(bytes.length, earlier);
    }
    byContent.set(key, index);
  });
  return found;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

const oneFloat = new Float32Array(1);
const oneWord = new Uint32Array(oneFloat.buffer);

function fromBits(bits: number): number {
  oneWord[0] = bits;
  return oneFloat[0]!;
}

function bitsOf(value: number): number {
  oneFloat[0] = value;
  return oneWord[0]!;
}

/** The bits of a factor with fround(source * factor) = target bit for bit, if there is one. */
function findFactor(source: Uint8Array, target: Uint8Array): number | undefined {
  const a = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const b = new DataView(target.buffer, target.byteOffset, target.byteLength);
  const ratio = b.getFloat32(0, true) / a.getFloat32(0, true);
  // Most pairs fall here: the ratio of first elements is not that of others.
  for (const at of [source.length - 4, (source.length >> 3) << 2]) {
    const value = b.getFloat32(at, true);
    if (!(Math.abs(value - a.getFloat32(at, true) * ratio) <= Math.abs(value) * 1e-6)) return undefined;
  }
  const near = bitsOf(ratio);
  const [sources, targets] = [floats(source), floats(target)];
  for (let step = 0; step < 9; step++) {
    const bits = (near + (step & 1 ? (step + 1) >> 1 : -(step >> 1))) >>> 0;
    if (isProduct(sources, fromBits(bits), targets)) return bits;
  }
  return undefined;
}

function isProduct(source: Float32Array, factor: number, target: Float32Array): boolean {
  if (!Number.isFinite(factor)) return false;
  for (let i = 0; i < source.length; i++) {
    // Object.is tells -0 from 0; NaN payloads are not preserved by arithmetic, so NaN never matches.
    if (!Object.is(Math.fround(source[i]! * factor), target[i]!) || Number.isNaN(target[i]!)) return false;
  }
  return true;
}

export function encodeDerivations(derivations: readonly Derivation[]): Uint8Array[] {
  return derivations.map(({ source, factorBits }) => {
    const writer = new ByteWriter();
    writer.varint(source * 2 + (factorBits === undefined ? 0 : 1));
    if (factorBits !== undefined) writer.u32(factorBits);
    return writer.finish();
  });
}

/** Inverse of `encodeDerivations`: one for each of `count` sections, of `sectionCount` in all. */
export function decodeDerivations(coded: Uint8Array, count: number, sectionCount: number): Derivation[] {
  const reader = new ByteReader(coded);
  const derivations = Array.from({ length: count }, (): Derivation => {
    const word = reader.varint(2 * sectionCount - 1);
    const source = Math.floor(word / 2);
    return word % 2 === 0 ? { source } : { source, factorBits: reader.u32() };
  });
  if (reader.remaining > 0) throw new CorruptStreamError('a stream of derived sections has bytes left over');
  return derivations;
}

/** Fills `out` from the bytes of the section it derives from. */
export function derive({ factorBits }: Derivation, source: Uint8Array, out: Uint8Array): void {
  if (source.length !== out.length) throw new CorruptStreamError('a section derives from one of another size');
  if (factorBits === undefined) {
    out.set(source);
    return;
  }
  if (out.length % 4 !== 0) throw new CorruptStreamError('a section that is no float32 tensor derives by a factor');
  const values = floats(source);
  const factor = fromBits(factorBits);
  for (let i = 0; i < values.length; i++) values[i] = Math.fround(values[i]! * factor);
  out.set(new Uint8Array(values.buffer));
}

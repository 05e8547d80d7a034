import { byteLayout } from '../../codec/block-layout.ts';
import { ByteReader } from '../../codec/byte-reader.ts';
import { CorruptStreamError } from '../../codec/corrupt-stream-error.ts';
import { crc32 } from '../../codec/crc32.ts';
import { decodeBlock } from '../../codec/decode-block.ts';
import { openArchive } from './archive.ts';
import { decodeToc } from './decode-toc.ts';
import { digestLength, limits, magic, prefixLength, type StoredToc, version } from './epk-format.ts';
import { plainBytes } from './plain-bytes.ts';
import type { StreamCoder } from './stream-coder.ts';

/** Where the bytes of an `.epk` come from: memory, a file, a `Blob`. `read` gives exactly `length` bytes or fails. */
export interface ByteSource {
  readonly byteLength: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface EpkDecodeOptions {
  /** The largest total size of the files accepted. Default: 64 MiB + 256 times the size of the `.epk`. */
  readonly maxOutputBytes?: number;
}

/** A section as listed by an archive. */
export interface EpkEntry {
  readonly name: string;
  readonly file: string;
  readonly offset: number;
  readonly byteLength: number;
  readonly dataType: number;
  readonly dims: readonly number[];
}

/** An open `.epk`: its table of contents is read and checked, the data is not. All failures are `CorruptStreamError`. */
export interface EpkArchive {
  readonly files: readonly { readonly name: string; readonly byteLength: number; readonly sha256: string }[];
  /** Lists the sections of all files, in order. */
  list(): Promise<EpkEntry[]>;
  /** Decodes the bytes of one section of a file (by default the first that has it) and of what shares its stream, nothing else. */
  decodeSection(name: string, file?: string): Promise<Uint8Array>;
  /** Decodes all files and checks each against its SHA-256. `coder` does the work (default: this thread). */
  decodeFiles(coder?: StreamCoder): Promise<{ readonly name: string; readonly bytes: Uint8Array }[]>;
}

/** Reads and checks the header of an `.epk`. */
export async function openEpk(input: ByteSource, options: EpkDecodeOptions = {}): Promise<EpkArchive> {
  const source: ByteSource = {
    byteLength: input.byteLength,
    read: async (offset, length) => plainBytes(await input.read(offset, length)),
  };
  const { toc, digests, headerLength } = await readHeader(source);
  let offset = headerLength;
  const offsets = toc.streams.map((stream) => {
    const at = offset;
    offset += stream.codedLength;
    return at;
  });
  if (offset > source.byteLength) throw new CorruptStreamError('the file is truncated');
  if (offset < source.byteLength) throw new CorruptStreamError('the file has bytes after its end');
  const total = toc.files.reduce((sum, file) => sum + file.byteLength, 0);
  const maximum = options.maxOutputBytes ?? 67_108_864 + 256 * source.byteLength;
  if (!(total <= maximum)) {
    throw new CorruptStreamError(`the files would take ${total} bytes, more than the ${maximum} allowed`);
  }
  return openArchive(source, toc, digests, offsets);
}

async function readHeader(
  source: ByteSource,
): Promise<{ toc: StoredToc; digests: Uint8Array[]; headerLength: number }> {
  if (source.byteLength === 0) throw new CorruptStreamError('the file is empty');
  const prefix = new ByteReader(await source.read(0, Math.min(prefixLength, source.byteLength)));
  for (const byte of magic.subarray(0, prefix.remaining)) {
    if (prefix.u8() !== byte) throw new CorruptStreamError('it is not an .epk file');
  }
  if (source.byteLength < prefixLength) throw new CorruptStreamError('the file is truncated');
  const found = prefix.u8();
  if (found !== version) {
    throw new CorruptStreamError(`it is of format version ${found}, and this program reads version ${version}`);
  }
  const bodyLength = prefix.u32();
  const checksum = prefix.u32();
  if (bodyLength > source.byteLength - prefixLength) throw new CorruptStreamError('the file is truncated');
  const body = await source.read(prefixLength, bodyLength);
  if (crc32(body) !== checksum) throw new CorruptStreamError('the header is damaged (its checksum differs)');
  const reader = new ByteReader(body);
  const raw = new Uint8Array(reader.varint(Math.min(limits.headerBytes, 1_048_576 + 1024 * body.length)));
  decodeBlock(reader.bytes(reader.varint(reader.remaining)), raw, byteLayout(raw.length));
  const toc = decodeToc(raw);
  const digests = toc.files.map(() => reader.bytes(digestLength));
  if (reader.remaining > 0) throw new CorruptStreamError('the header has bytes left over');
  return { toc, digests, headerLength: prefixLength + bodyLength };
}

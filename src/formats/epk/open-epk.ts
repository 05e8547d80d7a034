import { type BlockLayout, byteLayout } from '../../codec/block-layout.ts';
import { ByteReader } from '../../codec/byte-reader.ts';
import { CorruptStreamError } from '../../codec/corrupt-stream-error.ts';
import { crc32 } from '../../codec/crc32.ts';
import { decodeBlock } from '../../codec/decode-block.ts';
import { sha256 } from '../../codec/sha256.ts';
import { decodeToc } from './decode-toc.ts';
import { digestLength, limits, magic, prefixLength, StreamKind, type Toc, version } from './epk-format.ts';
import { sectionLayout } from './section-layout.ts';

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
  /** Decodes all files and checks each against its SHA-256. */
  decodeFiles(): Promise<{ readonly name: string; readonly bytes: Uint8Array }[]>;
}

interface Part {
  readonly file: number;
  /** The section's index, or -1 for the skeleton. */
  readonly section: number;
  readonly byteLength: number;
  readonly layout: BlockLayout;
}

/** Reads and checks the header of an `.epk`. */
export async function openEpk(source: ByteSource, options: EpkDecodeOptions = {}): Promise<EpkArchive> {
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
  return new Archive(source, toc, digests, offsets, collectParts(toc));
}

async function readHeader(source: ByteSource): Promise<{ toc: Toc; digests: Uint8Array[]; headerLength: number }> {
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
  const raw = new Uint8Array(reader.varint(Math.min(limits.headerBytes, 65_536 + 1024 * body.length)));
  decodeBlock(reader.bytes(reader.varint(reader.remaining)), raw, byteLayout(raw.length));
  const toc = decodeToc(raw);
  const digests = toc.files.map(() => reader.bytes(digestLength));
  if (reader.remaining > 0) throw new CorruptStreamError('the header has bytes left over');
  return { toc, digests, headerLength: prefixLength + bodyLength };
}

function collectParts(toc: Toc): Part[][] {
  const parts: Part[][] = toc.streams.map(() => []);
  toc.files.forEach((file, f) => {
    const byteLength = file.skeletonLength;
    parts[file.skeletonStream]!.push({ file: f, section: -1, byteLength, layout: byteLayout(byteLength) });
  });
  toc.files.forEach((file, f) => {
    file.sections.forEach(({ byteLength, dataType, dims, stream }, s) => {
      parts[stream]!.push({ file: f, section: s, byteLength, layout: sectionLayout(dataType, dims, byteLength) });
    });
  });
  return parts;
}

class Archive implements EpkArchive {
  readonly files: EpkArchive['files'];
  readonly #source: ByteSource;
  readonly #toc: Toc;
  readonly #offsets: readonly number[];
  readonly #parts: readonly (readonly Part[])[];
  #entries: EpkEntry[] | undefined;

  constructor(
    source: ByteSource,
    toc: Toc,
    digests: readonly Uint8Array[],
    offsets: readonly number[],
    parts: readonly (readonly Part[])[],
  ) {
    this.#source = source;
    this.#toc = toc;
    this.#offsets = offsets;
    this.#parts = parts;
    this.files = toc.files.map(({ name, byteLength }, f) => ({ name, byteLength, sha256: hexadecimal(digests[f]!) }));
  }

  async list(): Promise<EpkEntry[]> {
    if (this.#entries !== undefined) return this.#entries;
    const entries: EpkEntry[] = [];
    for (const [f, file] of this.#toc.files.entries()) {
      const needed = file.sections.some((section) => !('text' in section.name));
      const skeleton = needed ? await this.#decodePart(file.skeletonStream, f, -1) : new Uint8Array(0);
      for (const { name, offset, byteLength, dataType, dims } of file.sections) {
        const text =
          'text' in name
            ? name.text
            : new TextDecoder().decode(skeleton.subarray(name.skeletonOffset, name.skeletonOffset + name.byteLength));
        entries.push({ name: text, file: file.name, offset, byteLength, dataType, dims });
      }
    }
    this.#entries = entries;
    return entries;
  }

  async decodeSection(name: string, file?: string): Promise<Uint8Array> {
    const entry = (await this.list()).find((e) => e.name === name && (file === undefined || e.file === file));
    if (entry === undefined) throw new RangeError(`no section named ${JSON.stringify(name)}`);
    const f = this.#toc.files.findIndex((candidate) => candidate.name === entry.file);
    const sections = this.#toc.files[f]!.sections;
    const s = sections.findIndex(
      (section) => section.offset === entry.offset && section.byteLength === entry.byteLength,
    );
    return this.#decodePart(sections[s]!.stream, f, s);
  }

  async decodeFiles(): Promise<{ name: string; bytes: Uint8Array }[]> {
    // All streams are checked before the output is allocated.
    const coded: Uint8Array[] = [];
    for (let s = 0; s < this.#toc.streams.length; s++) coded.push(await this.#readStream(s));
    const outputs = this.#toc.files.map((file) => new Uint8Array(file.byteLength));
    const skeletons = this.#toc.files.map((file) => new Uint8Array(file.skeletonLength));
    for (const [s, bytes] of coded.entries()) {
      const outs = this.#parts[s]!.map(({ file, section }) => {
        if (section < 0) return skeletons[file]!;
        const { offset, byteLength } = this.#toc.files[file]!.sections[section]!;
        return outputs[file]!.subarray(offset, offset + byteLength);
      });
      this.#decodeStream(s, bytes, outs);
    }
    for (const [f, file] of this.#toc.files.entries()) {
      const output = outputs[f]!;
      let end = 0;
      let at = 0;
      for (const { offset, byteLength } of file.sections) {
        output.set(skeletons[f]!.subarray(at, at + offset - end), end);
        at += offset - end;
        end = offset + byteLength;
      }
      output.set(skeletons[f]!.subarray(at), end);
      if (hexadecimal(await sha256(output)) !== this.files[f]!.sha256) {
        throw new CorruptStreamError('a decoded file differs from the one that was packed (its SHA-256 differs)');
      }
    }
    return this.files.map(({ name }, f) => ({ name, bytes: outputs[f]! }));
  }

  async #readStream(stream: number): Promise<Uint8Array> {
    const { codedLength, checksum } = this.#toc.streams[stream]!;
    const coded = await this.#source.read(this.#offsets[stream]!, codedLength);
    if (crc32(coded) !== checksum) throw new CorruptStreamError(`stream ${stream} is damaged (its checksum differs)`);
    return coded;
  }

  async #decodePart(stream: number, file: number, section: number): Promise<Uint8Array> {
    const coded = await this.#readStream(stream);
    const parts = this.#parts[stream]!;
    const outs = parts.map((part) => new Uint8Array(part.byteLength));
    this.#decodeStream(stream, coded, outs);
    return outs[parts.findIndex((part) => part.file === file && part.section === section)]!;
  }

  #decodeStream(stream: number, coded: Uint8Array, outs: readonly Uint8Array[]): void {
    const { kind } = this.#toc.streams[stream]!;
    const parts = this.#parts[stream]!;
    if (kind === StreamKind.block) {
      if (parts.length !== 1)
        throw new CorruptStreamError(`stream ${stream} holds ${parts.length} parts instead of one`);
      decodeBlock(coded, outs[0]!, parts[0]!.layout);
    } else throw new CorruptStreamError(`stream ${stream} is of the unknown kind ${kind}`);
  }
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

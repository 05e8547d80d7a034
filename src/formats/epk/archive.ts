import { type BlockLayout, byteLayout } from '../../codec/block-layout.ts';
import { CorruptStreamError } from '../../codec/corrupt-stream-error.ts';
import { crc32 } from '../../codec/crc32.ts';
import { maxMixedBytes } from '../../codec/mix-parts.ts';
import { sha256 } from '../../codec/sha256.ts';
import { decodeDerivations, derive } from './derived-sections.ts';
import { type StoredToc, StreamKind, type Toc, type TocFile } from './epk-format.ts';
import { impliedSections } from './implied-sections.ts';
import type { ByteSource, EpkArchive, EpkEntry } from './open-epk.ts';
import { sectionLayout } from './section-layout.ts';
import { decodeStream, inlineCoder, type StreamCoder, type StreamToDecode } from './stream-coder.ts';

interface Part {
  readonly file: number;
  /** The section's index within its file, or -1 for the skeleton. */
  readonly section: number;
  readonly stream: number;
  readonly byteLength: number;
  readonly layout: BlockLayout;
}

/** All skeletons, then all sections, in file order: the order of parts within streams. */
function collectParts(toc: Toc): Part[] {
  const skeletons = toc.files.map(({ skeletonLength, skeletonStream }, file): Part => {
    const layout = byteLayout(skeletonLength);
    return { file, section: -1, stream: skeletonStream, byteLength: skeletonLength, layout };
  });
  const sections = toc.files.flatMap((tocFile, file) =>
    tocFile.sections.map(({ byteLength, dataType, dims, stream }, section): Part => {
      return { file, section, stream, byteLength, layout: sectionLayout(dataType, dims, byteLength) };
    }),
  );
  return [...skeletons, ...sections];
}

/**
 * An archive over the streams of an `.epk` whose stored table of contents is known; graphs that imply their sections are decoded for it.
 * `offsets` are those of the streams in `source`.
 */
export async function openArchive(
  source: ByteSource,
  stored: StoredToc,
  digests: readonly Uint8Array[],
  offsets: readonly number[],
): Promise<EpkArchive> {
  const withoutImplied = stored.files.map((file) => ('sections' in file ? file : { ...file, sections: [] }));
  let archive = new Archive(source, { files: withoutImplied, streams: stored.streams }, digests, offsets);
  if (stored.files.some((file) => 'sectionStreams' in file)) {
    archive.checkSizes();
    const ofSections = new Set(stored.files.flatMap((file) => ('sectionStreams' in file ? file.sectionStreams : [])));
    const files: TocFile[] = [];
    for (const [f, file] of stored.files.entries()) {
      if ('sections' in file) {
        files.push(file);
        continue;
      }
      if (ofSections.has(file.skeletonStream)) {
        throw new CorruptStreamError('a graph shares its stream with sections that are to follow from it');
      }
      const sections = impliedSections(await archive.decodeSkeleton(f), file.byteLength);
      if (sections.length !== file.sectionStreams.length) {
        throw new CorruptStreamError(
          `${file.sectionStreams.length} sections are said to follow from a graph of ${sections.length}`,
        );
      }
      files.push({
        ...file,
        sections: sections.map(({ name, ...section }, i) => {
          return { ...section, name: { text: name }, stream: file.sectionStreams[i]! };
        }),
      });
    }
    archive = new Archive(source, { files, streams: stored.streams }, digests, offsets);
  }
  archive.checkStreams();
  archive.checkSizes();
  return archive;
}

/** Decodes the streams of an `.epk` whose table of contents is known. */
class Archive implements EpkArchive {
  readonly files: EpkArchive['files'];
  readonly #source: ByteSource;
  readonly #toc: Toc;
  readonly #offsets: readonly number[];
  readonly #parts: readonly Part[];
  /** Indices of the parts of each stream. */
  readonly #members: readonly (readonly number[])[];
  #entries: EpkEntry[] | undefined;

  constructor(source: ByteSource, toc: Toc, digests: readonly Uint8Array[], offsets: readonly number[]) {
    this.#source = source;
    this.#toc = toc;
    this.#offsets = offsets;
    this.#parts = collectParts(toc);
    const members: number[][] = toc.streams.map(() => []);
    this.#parts.forEach((part, index) => {
      members[part.stream]!.push(index);
    });
    this.#members = members;
    this.files = toc.files.map(({ name, byteLength }, f) => ({ name, byteLength, sha256: hexadecimal(digests[f]!) }));
  }

  /** Streams must hold what their kind can. */
  checkStreams(): void {
    for (const [s, { kind }] of this.#toc.streams.entries()) {
      const members = this.#members[s]!;
      if (kind === StreamKind.block && members.length !== 1) {
        throw new CorruptStreamError(`stream ${s} holds ${members.length} parts instead of one`);
      }
      if (kind === StreamKind.derived && members.some((index) => this.#parts[index]!.section < 0)) {
        throw new CorruptStreamError('what is no section is said to derive from one');
      }
      if (kind > StreamKind.derived) throw new CorruptStreamError(`stream ${s} is of the unknown kind ${kind}`);
    }
  }

  /** What is slow to decode must be small. */
  checkSizes(): void {
    let mixed = 0;
    for (const { stream, byteLength } of this.#parts) {
      if (this.#toc.streams[stream]!.kind === StreamKind.mixing) mixed += byteLength;
    }
    if (mixed > maxMixedBytes) {
      throw new CorruptStreamError(`${mixed} bytes are said to be in slow streams, where ${maxMixedBytes} are allowed`);
    }
  }

  decodeSkeleton(file: number): Promise<Uint8Array> {
    return this.#decodePart(file);
  }

  async list(): Promise<EpkEntry[]> {
    if (this.#entries !== undefined) return this.#entries;
    const entries: EpkEntry[] = [];
    for (const [f, file] of this.#toc.files.entries()) {
      const needed = file.sections.some((section) => !('text' in section.name));
      const skeleton = needed ? await this.#decodePart(f) : new Uint8Array(0);
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
    const entries = await this.list();
    const index = entries.findIndex((entry) => entry.name === name && (file === undefined || entry.file === file));
    if (index < 0) throw new RangeError(`no section named ${JSON.stringify(name)}`);
    return this.#decodePart(this.files.length + index);
  }

  async decodeFiles(coder: StreamCoder = inlineCoder): Promise<{ name: string; bytes: Uint8Array }[]> {
    // All streams are checked before the output is allocated.
    const coded: Uint8Array[] = [];
    for (let s = 0; s < this.#toc.streams.length; s++) coded.push(await this.#readStream(s));
    const outputs = this.#toc.files.map((file) => new Uint8Array(file.byteLength));
    const outs = this.#parts.map(({ file, section, byteLength }) => {
      if (section < 0) return new Uint8Array(byteLength);
      const { offset } = this.#toc.files[file]!.sections[section]!;
      return outputs[file]!.subarray(offset, offset + byteLength);
    });
    const derived: number[] = [];
    const independent: StreamToDecode[] = [];
    for (const [s, bytes] of coded.entries()) {
      if (this.#toc.streams[s]!.kind === StreamKind.derived) derived.push(s);
      else independent.push(this.#streamToDecode(s, bytes, outs));
    }
    await coder.decode(independent);
    for (const s of derived) {
      const derivations = this.#derivationsOf(s, coded[s]!);
      this.#members[s]!.forEach((index, i) => {
        derive(derivations[i]!, outs[this.files.length + derivations[i]!.source]!, outs[index]!);
      });
    }
    for (const [f, file] of this.#toc.files.entries()) {
      fillSkeleton(outs[f]!, file.sections, outputs[f]!);
      if (hexadecimal(await sha256(outputs[f]!)) !== this.files[f]!.sha256) {
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

  /** Decodes one part with what shares its stream, or what it derives from. */
  async #decodePart(index: number): Promise<Uint8Array> {
    const { stream } = this.#parts[index]!;
    const coded = await this.#readStream(stream);
    if (this.#toc.streams[stream]!.kind === StreamKind.derived) {
      const derivation = this.#derivationsOf(stream, coded)[this.#members[stream]!.indexOf(index)]!;
      const out = new Uint8Array(this.#parts[index]!.byteLength);
      derive(derivation, await this.#decodePart(this.files.length + derivation.source), out);
      return out;
    }
    const outs: Uint8Array[] = [];
    for (const member of this.#members[stream]!) outs[member] = new Uint8Array(this.#parts[member]!.byteLength);
    decodeStream(this.#streamToDecode(stream, coded, outs));
    return outs[index]!;
  }

  /** A stream that derives from no other, with where its parts go in `outs`, which is indexed by part. */
  #streamToDecode(stream: number, coded: Uint8Array, outs: readonly Uint8Array[]): StreamToDecode {
    const parts = this.#members[stream]!.map((index) => ({ bytes: outs[index]!, layout: this.#parts[index]!.layout }));
    return { kind: this.#toc.streams[stream]!.kind, coded, parts };
  }

  #derivationsOf(stream: number, coded: Uint8Array): ReturnType<typeof decodeDerivations> {
    const sectionCount = this.#parts.length - this.files.length;
    const derivations = decodeDerivations(coded, this.#members[stream]!.length, sectionCount);
    for (const { source } of derivations) {
      if (this.#toc.streams[this.#parts[this.files.length + source]!.stream]!.kind === StreamKind.derived) {
        throw new CorruptStreamError('a section derives from one that is derived itself');
      }
    }
    return derivations;
  }
}

/** Puts the skeleton's bytes between the sections of a file. */
function fillSkeleton(
  skeleton: Uint8Array,
  sections: readonly { readonly offset: number; readonly byteLength: number }[],
  file: Uint8Array,
): void {
  let end = 0;
  let at = 0;
  for (const { offset, byteLength } of sections) {
    file.set(skeleton.subarray(at, at + offset - end), end);
    at += offset - end;
    end = offset + byteLength;
  }
  file.set(skeleton.subarray(at), end);
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

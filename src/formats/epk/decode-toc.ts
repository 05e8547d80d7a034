import { ByteReader } from '../../codec/byte-reader.ts';
import { CorruptStreamError } from '../../codec/corrupt-stream-error.ts';
import { impliedByteLength } from './encode-toc.ts';
import {
  type ImpliedTocFile,
  isConfinedName,
  limits,
  type StoredToc,
  type TocFile,
  type TocSection,
  type TocStream,
} from './epk-format.ts';

/** Reads a table of contents and checks all that can be checked without the data. */
export function decodeToc(bytes: Uint8Array): StoredToc {
  const reader = new ByteReader(bytes);
  const fileCount = reader.varint(Math.min(limits.files, reader.remaining));
  const streamCount = reader.varint(Math.min(limits.streams, reader.remaining));
  const streams: TocStream[] = [];
  for (let s = 0; s < streamCount; s++) {
    streams.push({ kind: reader.u8(), codedLength: reader.varint(), checksum: reader.u32() });
  }
  const files: (TocFile | ImpliedTocFile)[] = [];
  const names = new Set<string>();
  const used = new Uint8Array(streamCount);
  for (let f = 0; f < fileCount; f++) {
    const file = readFile(reader, streamCount, used);
    if (!isConfinedName(file.name)) throw new CorruptStreamError('a file has a name that is not a plain relative path');
    if (names.has(file.name)) throw new CorruptStreamError('two files have the same name');
    names.add(file.name);
    files.push(file);
  }
  if (reader.remaining > 0) throw new CorruptStreamError('the table of contents has bytes left over');
  if (used.includes(0)) throw new CorruptStreamError('a stream belongs to nothing');
  return { files, streams };
}

function readFile(reader: ByteReader, streamCount: number, used: Uint8Array): TocFile | ImpliedTocFile {
  const readStream = (): number => {
    if (streamCount === 0) throw new CorruptStreamError('there are no streams');
    const stream = reader.varint(streamCount - 1);
    used[stream] = 1;
    return stream;
  };
  const name = readText(reader);
  const byteLength = reader.varint();
  const skeletonStream = readStream();
  const counted = reader.varint(2 * Math.min(limits.sections, reader.remaining) + 1);
  const sectionCount = Math.floor(counted / 2);
  if (counted % 2 === 1) {
    const skeletonLength = reader.varint(byteLength);
    const sectionStreams = Array.from({ length: sectionCount }, readStream);
    return { name, byteLength, skeletonLength, skeletonStream, sectionStreams };
  }
  const sections: TocSection[] = [];
  let end = 0;
  let skeletonOffset = 0;
  for (let s = 0; s < sectionCount; s++) {
    const gap = reader.varint(byteLength - end);
    skeletonOffset += gap;
    const stream = readStream();
    const sectionName = readName(reader, skeletonOffset);
    const dataType = reader.varint(limits.dataType);
    const rank = reader.varint(limits.rank);
    const dims: number[] = [];
    for (let d = 0; d < rank; d++) dims.push(reader.varint());
    const coded = reader.varint();
    const sectionLength = coded === 0 ? impliedByteLength(dataType, dims) : coded - 1;
    const offset = end + gap;
    if (!(sectionLength <= byteLength - offset)) throw new CorruptStreamError('a section reaches beyond its file');
    sections.push({ name: sectionName, offset, byteLength: sectionLength, dataType, dims, stream });
    end = offset + sectionLength;
  }
  return { name, byteLength, skeletonLength: skeletonOffset + byteLength - end, skeletonStream, sections };
}

function readText(reader: ByteReader): string {
  return new TextDecoder().decode(reader.bytes(reader.varint(limits.nameBytes)));
}

function readName(reader: ByteReader, skeletonOffset: number): TocSection['name'] {
  const reference = reader.varint(skeletonOffset + 1);
  if (reference === 0) return { text: readText(reader) };
  const nameEnd = skeletonOffset - (reference - 1);
  const byteLength = reader.varint(Math.min(limits.nameBytes, nameEnd));
  return { skeletonOffset: nameEnd - byteLength, byteLength };
}

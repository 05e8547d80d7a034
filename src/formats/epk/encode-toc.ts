import { ByteWriter } from '../../codec/byte-writer.ts';
import { packedByteLength } from '../../tensor/data-type.ts';
import type { StoredToc, TocSection } from './epk-format.ts';

/** Serializes a table of contents; `decodeToc` is the inverse. */
export function encodeToc(toc: StoredToc): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(toc.files.length);
  writer.varint(toc.streams.length);
  for (const stream of toc.streams) {
    writer.u8(stream.kind);
    writer.varint(stream.codedLength);
    writer.u32(stream.checksum);
  }
  for (const file of toc.files) {
    writeText(writer, file.name);
    writer.varint(file.byteLength);
    writer.varint(file.skeletonStream);
    if ('sectionStreams' in file) {
      writer.varint(file.sectionStreams.length * 2 + 1);
      writer.varint(file.skeletonLength);
      for (const stream of file.sectionStreams) writer.varint(stream);
      continue;
    }
    writer.varint(file.sections.length * 2);
    let end = 0;
    let skeletonOffset = 0;
    for (const section of file.sections) {
      const gap = section.offset - end;
      skeletonOffset += gap;
      writer.varint(gap);
      writer.varint(section.stream);
      writeName(writer, section, skeletonOffset);
      writer.varint(section.dataType);
      writer.varint(section.dims.length);
      for (const dim of section.dims) writer.varint(dim);
      const implied = impliedByteLength(section.dataType, section.dims) === section.byteLength;
      writer.varint(implied ? 0 : section.byteLength + 1);
      end = section.offset + section.byteLength;
    }
  }
  return writer.finish();
}

/** The size that type and dimensions give; NaN where they give none. */
export function impliedByteLength(dataType: number, dims: readonly number[]): number {
  const elements = dims.reduce((product, dim) => product * dim, 1);
  const size = packedByteLength(dataType, elements);
  return Number.isSafeInteger(size) && Number.isSafeInteger(elements) ? size : Number.NaN;
}

function writeText(writer: ByteWriter, text: string): void {
  const bytes = new TextEncoder().encode(text);
  writer.varint(bytes.length);
  writer.bytes(bytes);
}

/** A name is 0 and its text, or how far before the section its text ends in the skeleton (plus 1) and its length. */
function writeName(writer: ByteWriter, section: TocSection, skeletonOffset: number): void {
  if ('text' in section.name) {
    writer.varint(0);
    writeText(writer, section.name.text);
  } else {
    writer.varint(skeletonOffset - section.name.skeletonOffset - section.name.byteLength + 1);
    writer.varint(section.name.byteLength);
  }
}

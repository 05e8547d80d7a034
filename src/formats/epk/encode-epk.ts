import { type BlockLayout, byteLayout } from '../../codec/block-layout.ts';
import { ByteWriter } from '../../codec/byte-writer.ts';
import { crc32 } from '../../codec/crc32.ts';
import { encodeBlock } from '../../codec/encode-block.ts';
import { sha256 } from '../../codec/sha256.ts';
import { encodeToc } from './encode-toc.ts';
import {
  isConfinedName,
  limits,
  magic,
  prefixLength,
  StreamKind,
  type TocFile,
  type TocSection,
  type TocStream,
  version,
} from './epk-format.ts';
import { sectionLayout } from './section-layout.ts';

/** Where a tensor's payload lies in its file. */
export interface EpkSection {
  readonly name: string;
  readonly offset: number;
  readonly byteLength: number;
  /** ONNX `TensorProto.DataType`. */
  readonly dataType: number;
  readonly dims: readonly number[];
}

export interface EpkFile {
  /** A relative path with forward slashes. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Disjoint, in any order. */
  readonly sections: readonly EpkSection[];
}

/** Bytes before and after coding, of a section or of what is left of a file without its sections. */
export interface EpkPartSize {
  readonly name: string;
  readonly file: string;
  readonly rawBytes: number;
  readonly codedBytes: number;
}

export interface EncodedEpk {
  readonly bytes: Uint8Array;
  readonly sections: readonly EpkPartSize[];
  /** One per file: graph, names, small tensors that are no sections. `name` is empty. */
  readonly skeletons: readonly EpkPartSize[];
  /** Header, table of contents, digests. Coded bytes of sections and skeletons plus this are the size of `bytes`. */
  readonly overheadBytes: number;
}

interface Part {
  readonly bytes: Uint8Array;
  readonly layout: BlockLayout;
}

/**
 * Packs files into one `.epk`, each section coded on its own. The same input gives the same bytes on every host.
 * Throws a RangeError for sections that overlap or leave their file, and for unsafe or repeated file names.
 */
export async function encodeEpk(files: readonly EpkFile[]): Promise<EncodedEpk> {
  checkFiles(files);
  const streams: { readonly coded: Uint8Array; readonly toc: TocStream }[] = [];
  const add = ({ bytes, layout }: Part): number => {
    const coded = encodeBlock(bytes, layout);
    streams.push({ coded, toc: { kind: StreamKind.block, codedLength: coded.length, checksum: crc32(coded) } });
    return streams.length - 1;
  };
  const sizes: EpkPartSize[] = [];
  const skeletons: EpkPartSize[] = [];
  const tocFiles: TocFile[] = [];
  for (const file of files) {
    const ordered = [...file.sections].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
    const skeleton = skeletonOf(file.bytes, ordered);
    const skeletonStream = add({ bytes: skeleton, layout: byteLayout(skeleton.length) });
    skeletons.push({
      name: '',
      file: file.name,
      rawBytes: skeleton.length,
      codedBytes: streams[skeletonStream]!.coded.length,
    });
    let skeletonOffset = 0;
    let end = 0;
    const sections = ordered.map((section): TocSection => {
      const { offset, byteLength, dataType, dims } = section;
      skeletonOffset += offset - end;
      end = offset + byteLength;
      const bytes = file.bytes.subarray(offset, end);
      const stream = add({ bytes, layout: sectionLayout(dataType, dims, byteLength) });
      const codedBytes = streams[stream]!.coded.length;
      sizes.push({ name: section.name, file: file.name, rawBytes: byteLength, codedBytes });
      return { name: findName(section.name, skeleton, skeletonOffset), offset, byteLength, dataType, dims, stream };
    });
    tocFiles.push({
      name: file.name,
      byteLength: file.bytes.length,
      skeletonLength: skeleton.length,
      skeletonStream,
      sections,
    });
  }
  const header = await encodeHeader(files, { files: tocFiles, streams: streams.map((stream) => stream.toc) });
  const total = header.length + streams.reduce((sum, stream) => sum + stream.coded.length, 0);
  const bytes = new Uint8Array(total);
  bytes.set(header);
  let at = header.length;
  for (const { coded } of streams) {
    bytes.set(coded, at);
    at += coded.length;
  }
  return { bytes, sections: sizes, skeletons, overheadBytes: header.length };
}

async function encodeHeader(
  files: readonly EpkFile[],
  toc: { files: readonly TocFile[]; streams: readonly TocStream[] },
): Promise<Uint8Array> {
  const raw = encodeToc(toc);
  const coded = encodeBlock(raw, byteLayout(raw.length));
  const body = new ByteWriter();
  body.varint(raw.length);
  body.varint(coded.length);
  body.bytes(coded);
  for (const file of files) body.bytes(await sha256(file.bytes));
  const bodyBytes = body.finish();
  if (raw.length > limits.headerBytes) throw new RangeError('the table of contents is too large for an .epk');
  const header = new ByteWriter();
  header.bytes(magic);
  header.u8(version);
  header.u32(bodyBytes.length);
  header.u32(crc32(bodyBytes));
  if (header.length !== prefixLength) throw new Error('the prefix has changed its length');
  header.bytes(bodyBytes);
  return header.finish();
}

function checkFiles(files: readonly EpkFile[]): void {
  const names = new Set<string>();
  for (const file of files) {
    if (!isConfinedName(file.name)) throw new RangeError(`not a plain relative path: ${JSON.stringify(file.name)}`);
    if (names.has(file.name)) throw new RangeError(`two files named ${JSON.stringify(file.name)}`);
    names.add(file.name);
    let end = 0;
    for (const section of [...file.sections].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)) {
      const { offset, byteLength } = section;
      if (!(offset >= end && byteLength >= 0 && offset + byteLength <= file.bytes.length)) {
        throw new RangeError(`section ${JSON.stringify(section.name)} overlaps another or leaves its file`);
      }
      end = offset + byteLength;
    }
  }
}

function skeletonOf(bytes: Uint8Array, ordered: readonly EpkSection[]): Uint8Array {
  const skeleton = new Uint8Array(bytes.length - ordered.reduce((sum, section) => sum + section.byteLength, 0));
  let end = 0;
  let at = 0;
  for (const section of ordered) {
    skeleton.set(bytes.subarray(end, section.offset), at);
    at += section.offset - end;
    end = section.offset + section.byteLength;
  }
  skeleton.set(bytes.subarray(end), at);
  return skeleton;
}

/** In an ONNX file a tensor's name stands just before its payload: refer to it there rather than repeat it. */
function findName(name: string, skeleton: Uint8Array, skeletonOffset: number): TocSection['name'] {
  const text = new TextEncoder().encode(name);
  const begin = Math.max(0, skeletonOffset - text.length - 64);
  for (let at = skeletonOffset - text.length; text.length > 0 && at >= begin; at--) {
    if (text.every((byte, i) => skeleton[at + i] === byte)) return { skeletonOffset: at, byteLength: text.length };
  }
  return { text: name };
}

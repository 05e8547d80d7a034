import { byteLayout } from '../../codec/block-layout.ts';
import { ByteWriter } from '../../codec/byte-writer.ts';
import { CorruptStreamError } from '../../codec/corrupt-stream-error.ts';
import { crc32 } from '../../codec/crc32.ts';
import { encodeBlock, encodeMixedBlock } from '../../codec/encode-block.ts';
import { sha256 } from '../../codec/sha256.ts';
import { encodeToc } from './encode-toc.ts';
import {
  type ImpliedTocFile,
  isConfinedName,
  limits,
  magic,
  prefixLength,
  type StoredToc,
  StreamKind,
  type TocFile,
  type TocSection,
  version,
} from './epk-format.ts';
import { type ImpliedSection, impliedSections } from './implied-sections.ts';
import { joinBytes } from './join-bytes.ts';
import { plainBytes } from './plain-bytes.ts';
import { defaultMixingLimitBytes, type PlannedPart, planStreams } from './plan-streams.ts';
import { sectionLayout } from './section-layout.ts';
import { inlineCoder, type StreamCoder } from './stream-coder.ts';

/** Where a tensor's payload lies in its file. */
export interface EpkSection {
  /** Left out of the `.epk` where it is longer than 64 KiB. */
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

export interface EpkEncodeOptions {
  /**
   * Files of up to this many bytes in all are coded by context mixing, which is smaller (by some 4 % of the weights and half of the graph)
   * and decodes below 1 MB/s. Default 640 KiB, at most 1 MiB; 0 turns it off.
   */
  readonly mixingLimitBytes?: number;
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

/**
 * Packs files into one `.epk`, each section coded on its own or, where small, with others. The same input gives the same bytes on every
 * host. `coder` does the work (default: this thread). Throws a RangeError for sections that overlap or leave their file, and for unsafe or repeated file names.
 */
export async function encodeEpk(
  input: readonly EpkFile[],
  options: EpkEncodeOptions = {},
  coder: StreamCoder = inlineCoder,
): Promise<EncodedEpk> {
  const mixingLimitBytes = options.mixingLimitBytes ?? defaultMixingLimitBytes;
  checkFiles(input);
  const files = input.map((file) => ({
    name: file.name,
    bytes: plainBytes(file.bytes),
    sections: file.sections.map(storable),
  }));
  const ordered = files.map((file) => [...file.sections].sort(byOffset));
  const skeletonBytes = files.map((file, f) => skeletonOf(file.bytes, ordered[f]!));
  const parts: PlannedPart[] = [
    ...skeletonBytes.map((bytes) => ({ bytes, layout: byteLayout(bytes.length), dataType: 0, isSkeleton: true })),
    ...files.flatMap((file, f) =>
      ordered[f]!.map(({ offset, byteLength, dataType, dims }) => ({
        bytes: file.bytes.subarray(offset, offset + byteLength),
        layout: sectionLayout(dataType, dims, byteLength),
        dataType,
        isSkeleton: false,
      })),
    ),
  ];
  const streamOf: number[] = [];
  const codedBytes: number[] = [];
  const planned = planStreams(parts, mixingLimitBytes);
  const encodedStreams = await coder.encode(
    planned.map(({ kind, derivations, parts: indices }) => ({
      stream: { kind, derivations },
      parts: indices.map((index) => ({ bytes: parts[index]!.bytes, layout: parts[index]!.layout })),
    })),
  );
  const coded = planned.map((stream, s) => {
    const encoded = encodedStreams[s]!;
    stream.parts.forEach((index, i) => {
      streamOf[index] = s;
      codedBytes[index] = encoded.partBytes[i]!;
    });
    const toc = { kind: stream.kind, codedLength: encoded.coded.length, checksum: crc32(encoded.coded) };
    return { bytes: encoded.coded, toc };
  });
  const isMixed = (stream: number): boolean => coded[stream]!.toc.kind === StreamKind.mixing;
  let next = files.length;
  const tocFiles = files.map((file, f): TocFile | ImpliedTocFile => {
    const skeleton = skeletonBytes[f]!;
    const base = {
      name: file.name,
      byteLength: file.bytes.length,
      skeletonLength: skeleton.length,
      skeletonStream: streamOf[f]!,
    };
    const count = ordered[f]!.length;
    if (count > 0 && isMixed(streamOf[f]!) && areImplied(ordered[f]!, skeleton, file.bytes.length)) {
      next += count;
      return { ...base, sectionStreams: streamOf.slice(next - count, next) };
    }
    let skeletonOffset = 0;
    let end = 0;
    const sections = ordered[f]!.map(({ name, offset, byteLength, dataType, dims }): TocSection => {
      skeletonOffset += offset - end;
      end = offset + byteLength;
      const stream = streamOf[next++]!;
      return { name: findName(name, skeleton, skeletonOffset), offset, byteLength, dataType, dims, stream };
    });
    return { ...base, sections };
  });
  const header = await encodeHeader(
    files,
    { files: tocFiles, streams: coded.map((stream) => stream.toc) },
    mixingLimitBytes,
  );
  const sizes = files.flatMap((file, f) => ordered[f]!.map((section) => ({ name: section.name, file: file.name })));
  return {
    bytes: joinBytes([header, ...coded.map((stream) => stream.bytes)]),
    sections: sizes.map((size, i) => ({
      ...size,
      rawBytes: parts[files.length + i]!.bytes.length,
      codedBytes: codedBytes[files.length + i]!,
    })),
    skeletons: files.map((file, f) => ({
      name: '',
      file: file.name,
      rawBytes: skeletonBytes[f]!.length,
      codedBytes: codedBytes[f]!,
    })),
    overheadBytes: header.length,
  };
}

/** What a file says of a tensor may be nonsense; what the table of contents cannot hold is left out, and costs only compression. */
function storable(section: EpkSection): EpkSection {
  const { dataType, dims } = section;
  const isType = Number.isInteger(dataType) && dataType >= 0 && dataType <= limits.dataType;
  const isShape = dims.length <= limits.rank && dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  return { ...section, dataType: isType ? dataType : 0, dims: isShape ? dims : [] };
}

function byOffset(a: EpkSection, b: EpkSection): number {
  return a.offset - b.offset || a.byteLength - b.byteLength;
}

async function encodeHeader(files: readonly EpkFile[], toc: StoredToc, mixingLimitBytes: number): Promise<Uint8Array> {
  const raw = encodeToc(toc);
  const layout = byteLayout(raw.length);
  const coded = isSlowWorthwhile(raw.length, files, mixingLimitBytes)
    ? encodeMixedBlock(raw, layout)
    : encodeBlock(raw, layout);
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

/** Context mixing where the table is short, or the time small beside that of the whole. */
function isSlowWorthwhile(byteLength: number, files: readonly EpkFile[], mixingLimitBytes: number): boolean {
  const total = files.reduce((sum, file) => sum + file.bytes.length, 0);
  return byteLength <= 1024 || byteLength * 2048 <= total || total <= mixingLimitBytes;
}

function checkFiles(files: readonly EpkFile[]): void {
  const names = new Set<string>();
  for (const file of files) {
    if (!isConfinedName(file.name)) throw new RangeError(`not a plain relative path: ${JSON.stringify(file.name)}`);
    if (names.has(file.name)) throw new RangeError(`two files named ${JSON.stringify(file.name)}`);
    names.add(file.name);
    let end = 0;
    for (const section of [...file.sections].sort(byOffset)) {
      const { offset, byteLength } = section;
      const isWhole = Number.isSafeInteger(offset) && Number.isSafeInteger(byteLength);
      if (!(isWhole && offset >= end && byteLength >= 0 && offset + byteLength <= file.bytes.length)) {
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

/** Whether a decoder finds the same sections by the structure of what is left of the file. */
function areImplied(ordered: readonly EpkSection[], skeleton: Uint8Array, byteLength: number): boolean {
  let implied: readonly ImpliedSection[];
  try {
    implied = impliedSections(skeleton, byteLength);
  } catch (cause) {
    if (cause instanceof CorruptStreamError) return false;
    throw cause;
  }
  return (
    implied.length === ordered.length &&
    implied.every((section, i) => {
      const { name, offset, dataType, dims } = ordered[i]!;
      const isSame = section.name === name && section.offset === offset && section.dataType === dataType;
      return isSame && section.byteLength === ordered[i]!.byteLength && section.dims.join() === dims.join();
    })
  );
}

/** In an ONNX file a tensor's name stands just before its payload: refer to it there rather than repeat it. */
function findName(name: string, skeleton: Uint8Array, skeletonOffset: number): TocSection['name'] {
  const text = new TextEncoder().encode(name);
  if (text.length > limits.nameBytes) return { text: '' };
  const begin = Math.max(0, skeletonOffset - text.length - 64);
  for (let at = skeletonOffset - text.length; text.length > 0 && at >= begin; at--) {
    if (text.every((byte, i) => skeleton[at + i] === byte)) return { skeletonOffset: at, byteLength: text.length };
  }
  return { text: name };
}

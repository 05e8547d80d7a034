import fc from 'fast-check';
import { ByteReader } from '../../../src/codec/byte-reader.ts';
import { ByteWriter } from '../../../src/codec/byte-writer.ts';
import { crc32 } from '../../../src/codec/crc32.ts';
import { decodeBlock } from '../../../src/codec/decode-block.ts';
import { decodeToc } from '../../../src/formats/epk/decode-toc.ts';
import { encodeToc } from '../../../src/formats/epk/encode-toc.ts';
import { magic, prefixLength, type StoredToc, version } from '../../../src/formats/epk/epk-format.ts';

/** The parts of an `.epk`, to be changed and put together again with lengths and checksums that fit. */
export interface EpkPieces {
  readonly toc: StoredToc;
  readonly digests: readonly Uint8Array[];
  readonly streams: readonly Uint8Array[];
}

export function takeApart(epk: Uint8Array): EpkPieces {
  const bodyLength = new DataView(epk.buffer, epk.byteOffset).getUint32(5, true);
  const body = new ByteReader(epk.subarray(prefixLength, prefixLength + bodyLength));
  const raw = new Uint8Array(body.varint());
  const layout = {
    elementBytes: 1,
    kind: 'bytes',
    rows: 1,
    columns: raw.length,
    kernelSize: 1,
    kernelWidth: 1,
  } as const;
  decodeBlock(body.bytes(body.varint()), raw, layout);
  const toc = decodeToc(raw);
  const digests = toc.files.map(() => body.bytes(32));
  const streams = new ByteReader(epk.subarray(prefixLength + bodyLength));
  return { toc, digests, streams: toc.streams.map(({ codedLength }) => streams.bytes(codedLength)) };
}

export function putTogether({ toc, digests, streams }: EpkPieces): Uint8Array {
  const rows = toc.streams.map(({ kind }, s) => {
    const coded = streams[s] ?? new Uint8Array(0);
    return { kind, codedLength: coded.length, checksum: crc32(coded) };
  });
  const raw = encodeToc({ ...toc, streams: rows });
  const body = new ByteWriter();
  body.varint(raw.length);
  body.varint(raw.length + 1);
  body.u8(0);
  body.bytes(raw);
  for (const digest of digests) body.bytes(digest);
  const bytes = body.finish();
  const epk = new ByteWriter();
  epk.bytes(magic);
  epk.u8(version);
  epk.u32(bytes.length);
  epk.u32(crc32(bytes));
  epk.bytes(bytes);
  for (const stream of streams) epk.bytes(stream);
  return epk.finish();
}

const oddNumber = fc.oneof(
  fc.nat(70),
  fc.constantFrom(0, 1, 127, 128, 255, 4096, 2 ** 20, 2 ** 20 + 1, 2 ** 31, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER),
);
const oddName = fc.constantFrom('', 'a', '../a', 'C:a', 'a\\b', 'model.onnx', '\u202e', 'x'.repeat(300));

type Change = readonly [path: number, value: number, name: string];

/** One to four changes of numbers, names, streams and bytes, each anywhere in the pieces. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(fc.tuple(fc.nat(), oddNumber, oddName), {
  minLength: 1,
  maxLength: 4,
});

/** A copy of the pieces with the changes made. */
export function changed(pieces: EpkPieces, list: readonly Change[]): EpkPieces {
  const copy = structuredClone(pieces) as unknown as { toc: object; digests: Uint8Array[]; streams: Uint8Array[] };
  for (const [path, value, name] of list) {
    if (path % 3 > 0) {
      changeLeaf(copy.toc, Math.floor(path / 3), value, name);
      continue;
    }
    const index = Math.floor(path / 3) % Math.max(1, copy.streams.length);
    const stream = copy.streams[index];
    if (stream === undefined || stream.length === 0) continue;
    const at = Math.floor(path / 7) % stream.length;
    if (value % 5 === 0) copy.streams[index] = stream.slice(0, at);
    else if (value % 5 === 1)
      copy.streams[index] = Uint8Array.of(...stream.slice(0, at), value & 255, ...stream.slice(at));
    else stream[at] = stream[at]! ^ (1 << (value & 7));
  }
  return copy as unknown as EpkPieces;
}

/** Changes one number or text of a tree, or drops or doubles an element of a list. */
function changeLeaf(tree: object, pick: number, value: number, name: string): void {
  const edits: (() => void)[] = [];
  const visit = (node: Record<string | number, unknown> | unknown[]): void => {
    if (Array.isArray(node) && node.length > 0) {
      edits.push(() => node.splice(value % node.length, 1));
      edits.push(() => node.splice(value % node.length, 0, structuredClone(node[0])));
    }
    for (const [key, child] of Object.entries(node)) {
      const owner = node as Record<string, unknown>;
      if (typeof child === 'number') {
        edits.push(() => {
          owner[key] = value;
        });
        edits.push(() => {
          owner[key] = Math.max(0, child + (value % 2 === 0 ? 1 : -1));
        });
      } else if (typeof child === 'string') {
        edits.push(() => {
          owner[key] = name;
        });
      } else if (typeof child === 'object' && child !== null) visit(child as Record<string, unknown>);
    }
  };
  visit(tree as Record<string, unknown>);
  edits[pick % edits.length]?.();
}

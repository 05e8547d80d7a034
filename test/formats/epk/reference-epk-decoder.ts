/**
 * A slow reader of the container, written after docs/epk-format.md on top of the reference decoder of blocks. Streams and tables that
 * are coded by mixing go to the product's models, which have no second implementation.
 */
import { decodeBlock } from '../../../src/codec/decode-block.ts';
import { sectionLayout } from '../../../src/formats/epk/section-layout.ts';
import { referenceDecodeBlock } from '../../codec/reference-decoder.ts';

interface Part {
  readonly size: number;
  readonly stream: number;
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly offset: number;
}

function reader(bytes: readonly number[]) {
  let at = 0;
  const take = (count: number): number[] => {
    if (at + count > bytes.length) throw new Error('reference: out of data');
    at += count;
    return bytes.slice(at - count, at);
  };
  const fixed = (count: number): number => take(count).reduceRight((value, byte) => value * 256 + byte, 0);
  const varint = (): number => {
    const byte = fixed(1);
    return byte < 128 ? byte : (byte % 128) + 128 * varint();
  };
  const text = (): string => new TextDecoder().decode(Uint8Array.from(take(varint())));
  return { take, fixed, varint, text, left: () => bytes.length - at };
}

/** Sections that follow from a graph are only in files coded by mixing. */
function explicitCount(counted: number): number {
  if (counted % 2 === 1) throw new Error('reference: implied sections');
  return counted / 2;
}

const elementBits: Record<number, number> = { 1: 32, 2: 8, 3: 8, 6: 32, 7: 64 };

/** Decodes an `.epk` without mixing streams, of tensors of the element types above. */
export function referenceDecodeEpk(epk: Uint8Array): Map<string, number[]> {
  const input = reader([...epk]);
  if (input.take(5).join() !== [0x89, 0x45, 0x50, 0x4b, 1].join()) throw new Error('reference: not version 1');
  const bodyLength = input.fixed(4);
  input.fixed(4);
  const body = reader(input.take(bodyLength));
  const table = new Uint8Array(body.varint());
  decodeBlock(Uint8Array.from(body.take(body.varint())), table, sectionLayout(8, [], table.length));
  const toc = reader([...table]);
  const fileCount = toc.varint();
  const streams = Array.from({ length: toc.varint() }, () => 0).map(() => {
    const kind = toc.fixed(1);
    const size = toc.varint();
    toc.fixed(4);
    return { kind, size };
  });
  const files = Array.from({ length: fileCount }, () => {
    const name = toc.text();
    const size = toc.varint();
    const skeletonStream = toc.varint();
    let end = 0;
    const sections = Array.from({ length: explicitCount(toc.varint()) }, (): Part => {
      const offset = end + toc.varint();
      const stream = toc.varint();
      const reference = toc.varint();
      if (reference === 0) toc.text();
      else toc.varint();
      const dataType = toc.varint();
      const dims = Array.from({ length: toc.varint() }, () => toc.varint());
      const length = toc.varint();
      const implied = (dims.reduce((product, dim) => product * dim, 1) * elementBits[dataType]!) / 8;
      const sectionSize = length === 0 ? implied : length - 1;
      end = offset + sectionSize;
      return { size: sectionSize, stream, dataType, dims, offset };
    });
    const skeletonSize = size - sections.reduce((sum, section) => sum + section.size, 0);
    const skeleton: Part = { size: skeletonSize, stream: skeletonStream, dataType: 8, dims: [], offset: -1 };
    return { name, skeleton, sections };
  });
  if (toc.left() > 0) throw new Error('reference: table too long');
  const coded = streams.map(({ size }) => input.take(size));
  if (input.left() > 0) throw new Error('reference: file too long');

  const sections = files.flatMap((file) => file.sections);
  const decoded = new Map<Part, number[]>();
  for (const part of [...files.map((file) => file.skeleton), ...sections]) {
    if (streams[part.stream]!.kind !== 0) continue;
    decoded.set(part, referenceDecodeBlock(coded[part.stream]!, sectionLayout(part.dataType, part.dims, part.size)));
  }
  streams.forEach(({ kind }, s) => {
    if (kind === 0) return;
    if (kind !== 2) throw new Error('reference: a stream that is mixed');
    const stream = reader(coded[s]!);
    for (const part of sections.filter((section) => section.stream === s)) {
      const word = stream.varint();
      const source = decoded.get(sections[Math.floor(word / 2)]!)!;
      decoded.set(part, word % 2 === 0 ? source : scaled(source, stream.take(4)));
    }
  });
  return new Map(
    files.map(({ name, skeleton, sections: own }) => {
      const rest = [...decoded.get(skeleton)!];
      const bytes: number[] = [];
      for (const section of own) bytes.push(...rest.splice(0, section.offset - bytes.length), ...decoded.get(section)!);
      return [name, [...bytes, ...rest]];
    }),
  );
}

function scaled(source: number[], factor: number[]): number[] {
  const read = (bytes: number[]): number => new DataView(Uint8Array.from(bytes).buffer).getFloat32(0, true);
  const out: number[] = [];
  for (let i = 0; i < source.length; i += 4) {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, read(source.slice(i, i + 4)) * read(factor), true);
    out.push(...new Uint8Array(view.buffer));
  }
  return out;
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlockMethod } from '../../../src/codec/block-method.ts';
import { encodeEpk } from '../../../src/formats/epk/encode-epk.ts';
import type { TocFile } from '../../../src/formats/epk/epk-format.ts';
import { locateInitializers } from '../../../src/formats/onnx/locate-initializers.ts';
import { type EpkPieces, putTogether, takeApart } from '../../formats/epk/forge-epk.ts';
import { files, type HostileCase } from '../hostile-case.ts';
import { floats, graph, model, node, noise, soundGraph } from '../onnx-messages.ts';

const refused = { outcome: 'refused' as const, exitCode: 3 as const };
const given = (content: () => Uint8Array | string): HostileCase =>
  files(
    (folder) => writeFileSync(join(folder, 'model.epk'), content()),
    [
      { args: ['unpack', 'model.epk'], ...refused },
      { args: ['unpack', 'model.epk', '-o', 'deeper/back.onnx'], ...refused },
      // One tensor is read without the streams of the others, and without the digest of the whole.
      { args: ['unpack', 'model.epk', '--tensor', 'w', '-o', 'w.npy'], outcome: 'either' },
      { args: ['unpack', 'model.epk', '--tensor', '../w'], outcome: 'refused' },
      { args: ['unpack', 'model.epk', '--list'], outcome: 'either' },
    ],
  );

export const emptyFile = given(() => '');
export const text = given(() => 'EPK? no');
export const zeros = given(() => Buffer.alloc(100_000));
export const ones = given(() => Buffer.alloc(100_000, 255));
export const anOnnxModel = given(() => model(soundGraph()));
export const zip = given(() => Buffer.from('504b0304140000000800', 'hex'));

async function pack(bytes: Uint8Array, mixingLimitBytes: number): Promise<Uint8Array> {
  const sections = locateInitializers(bytes);
  return (await encodeEpk([{ name: 'model.onnx', bytes, sections }], { mixingLimitBytes })).bytes;
}

const large = graph([node('MatMul', ['x', 'w'], ['y'])], { initializer: [floats('w', [4, 500], noise(2000))] });
/** Of blocks, and of a mixed stream. */
const blocks = await pack(model(large), 0);
const mixed = await pack(model(soundGraph()), 1 << 20);

const cut = (bytes: Uint8Array, at: number) => given(() => bytes.subarray(0, at));
export const cutInMagic = cut(blocks, 3);
export const cutInHeader = cut(blocks, 40);
export const cutInStreams = cut(blocks, blocks.length - 100);
export const cutByOne = cut(mixed, mixed.length - 1);
export const oneByteMore = given(() => Buffer.concat([blocks, Buffer.alloc(1)]));
export const twice = given(() => Buffer.concat([mixed, mixed]));
export const unknownVersion = given(() => Uint8Array.from(blocks, (byte, i) => (i === 4 ? 99 : byte)));
const flipped = (bytes: Uint8Array, at: number) =>
  given(() => Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 16 : byte)));
export const flippedInHeaderLength = flipped(blocks, 7);
export const flippedInHeader = flipped(blocks, 30);
export const flippedInBlock = flipped(blocks, blocks.length - 50);
export const flippedInMixedStream = flipped(mixed, mixed.length - 50);

/** With lengths and checksums that fit what is changed. */
function forged(change: (pieces: EpkPieces, file: TocFile) => EpkPieces, from: Uint8Array = blocks): HostileCase {
  return given(() => {
    const pieces = structuredClone(takeApart(from));
    return putTogether(change(pieces, pieces.toc.files[0] as TocFile));
  });
}
const ofFile = (changes: Partial<TocFile>) =>
  forged(({ toc, ...rest }, file) => ({ ...rest, toc: { ...toc, files: [{ ...file, ...changes }] } }));
const ofSection = (changes: Partial<TocFile['sections'][number]>) =>
  forged(({ toc, ...rest }, file) => ({
    ...rest,
    toc: { ...toc, files: [{ ...file, sections: [{ ...file.sections[0]!, ...changes }] }] },
  }));

export const nameGoesUp = ofFile({ name: '../evil.onnx' });
export const nameGoesUpInside = ofFile({ name: 'a/../../evil.onnx' });
export const nameIsAbsolute = ofFile({ name: '/tmp/evil.onnx' });
export const nameOfADrive = ofFile({ name: 'C:evil.onnx' });
export const nameOfAStream = ofFile({ name: 'model.onnx:evil' });
export const nameWithBackslash = ofFile({ name: '..\\evil.onnx' });
export const nameWithControls = ofFile({ name: 'a\u001b[31m\n.onnx' });
export const nameOfNothing = ofFile({ name: '' });
export const nameOf60000 = ofFile({ name: `../${'x'.repeat(60_000)}` });
export const fileOf2To50 = ofFile({ byteLength: 2 ** 50 });
export const fileOf2To31 = ofFile({ byteLength: 2 ** 31, skeletonLength: 2 ** 31 });
export const fileShorterThanItsSections = ofFile({ byteLength: 10 });
export const unknownStream = ofFile({ skeletonStream: 1000 });
export const sectionOf2To50 = ofSection({ byteLength: 2 ** 50, dims: [2 ** 50] });
export const sectionBehindTheFile = ofSection({ offset: 2 ** 40 });
export const sectionOfManyDims = ofSection({ dims: new Array(64).fill(2 ** 20), byteLength: 2 ** 52 });
export const sectionOfUnknownType = ofSection({ dataType: 4000 });
export const filesThatShareAName = forged(({ toc, digests, streams }, file) => ({
  toc: { ...toc, files: [file, { ...file }] },
  digests: [...digests, ...digests],
  streams,
}));
export const noFiles = forged(({ streams, toc }) => ({ toc: { ...toc, files: [] }, digests: [], streams }));
export const manyEmptyStreams = forged(({ toc, digests, streams }) => ({
  toc: { ...toc, streams: [...toc.streams, ...new Array(500_000).fill({ kind: 0, codedLength: 0, checksum: 0 })] },
  digests,
  streams: [...streams, ...new Array(500_000).fill(new Uint8Array(0))],
}));
/** A few bytes that stand for a file of zeros. */
const bombOf = (byteLength: number) =>
  forged(({ digests }) => ({
    toc: {
      files: [{ name: 'model.onnx', byteLength, skeletonLength: byteLength, skeletonStream: 0, sections: [] }],
      streams: [{ kind: 0, codedLength: 2, checksum: 0 }],
    },
    digests,
    streams: [Uint8Array.of(BlockMethod.constant, 0)],
  }));
export const zerosOf300MiB = bombOf(300 * 2 ** 20);
export const zerosOf3GiB = bombOf(3 * 2 ** 30);
export const zerosOf1TiB = bombOf(2 ** 40);
export const digestOfAnother = forged(({ toc, streams }) => ({ toc, digests: [new Uint8Array(32)], streams }));
export const mixedStreamOfZeros = forged(
  ({ toc, digests, streams }) => ({ toc, digests, streams: streams.map((stream) => new Uint8Array(stream.length)) }),
  mixed,
);
export const blocksOfNoise = forged(({ toc, digests, streams }) => ({
  toc,
  digests,
  streams: streams.map((stream, s) => Uint8Array.from(noise(stream.length, 128 + s), (byte) => byte)),
}));

import { CorruptStreamError } from '../src/codec/corrupt-stream-error.ts';
import { openEpk } from '../src/formats/epk/open-epk.ts';
import { decodeStream, type StreamCoder } from '../src/formats/epk/stream-coder.ts';

/** What the page sends: a file and, if the default is not to hold, how many bytes may come of it. */
export interface UnpackRequest {
  readonly file: Blob;
}

export type UnpackMessage =
  | { readonly kind: 'progress'; readonly share: number }
  | {
      readonly kind: 'done';
      readonly files: readonly {
        readonly name: string;
        readonly bytes: Uint8Array<ArrayBuffer>;
        readonly sha256: string;
      }[];
    }
  | { readonly kind: 'failed'; readonly reason: string };

const post = (message: UnpackMessage, moved: ArrayBuffer[] = []): void =>
  self.postMessage(message, { transfer: moved });

/** Says after each stream how much is done. */
const coder: StreamCoder = {
  encode: () => Promise.reject(new Error('this page only decodes')),
  decode: async (streams) => {
    const sizeOf = (stream: (typeof streams)[number]): number =>
      stream.parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const total = streams.reduce((sum, stream) => sum + sizeOf(stream), 0);
    let done = 0;
    for (const stream of streams) {
      decodeStream(stream);
      done += sizeOf(stream);
      post({ kind: 'progress', share: total === 0 ? 1 : done / total });
    }
  },
};

self.onmessage = async ({ data: { file } }: MessageEvent<UnpackRequest>): Promise<void> => {
  try {
    const read = async (offset: number, length: number): Promise<Uint8Array> =>
      new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
    const archive = await openEpk({ byteLength: file.size, read });
    const decoded = await archive.decodeFiles(coder);
    const files = decoded.map(({ name, bytes }, f) => {
      return { name, bytes: bytes as Uint8Array<ArrayBuffer>, sha256: archive.files[f]!.sha256 };
    });
    post(
      { kind: 'done', files },
      files.map(({ bytes }) => bytes.buffer),
    );
  } catch (cause) {
    const isExpected =
      cause instanceof CorruptStreamError || cause instanceof RangeError || cause instanceof DOMException;
    post({ kind: 'failed', reason: isExpected ? cause.message : `this page has an error (${String(cause)})` });
  }
};

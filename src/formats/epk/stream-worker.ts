import { parentPort } from 'node:worker_threads';
import { CorruptStreamError } from '../../codec/corrupt-stream-error.ts';
import { encodeStream } from './encode-stream.ts';
import { decodeStream, type StreamToDecode, type StreamToEncode } from './stream-coder.ts';

/** What a worker is asked: one stream. The memory of its bytes comes with the message and goes back with the answer. */
export type WorkerRequest =
  | { readonly index: number; readonly encode: StreamToEncode }
  | { readonly index: number; readonly decode: StreamToDecode };

export interface WorkerAnswer {
  readonly index: number;
  readonly encoded?: { readonly coded: Uint8Array; readonly partBytes: readonly number[] };
  readonly decoded?: readonly Uint8Array[];
  readonly error?: { readonly message: string; readonly isCorrupt: boolean; readonly stack: string };
}

parentPort?.on('message', (request: WorkerRequest) => {
  const { index } = request;
  try {
    if ('encode' in request) {
      const encoded = encodeStream(request.encode.stream, request.encode.parts);
      answer({ index, encoded }, [encoded.coded]);
    } else {
      decodeStream(request.decode);
      const decoded = request.decode.parts.map((part) => part.bytes);
      answer({ index, decoded }, decoded);
    }
  } catch (cause) {
    const { message, stack = '' } = cause instanceof Error ? cause : new Error(String(cause));
    answer({ index, error: { message, stack, isCorrupt: cause instanceof CorruptStreamError } }, []);
  }
});

function answer(message: WorkerAnswer, moved: readonly Uint8Array[]): void {
  // What is a view on a larger buffer is copied instead of moved.
  const own = moved.filter((bytes) => bytes.byteLength === bytes.buffer.byteLength);
  parentPort?.postMessage(message, [...new Set(own.map((bytes) => bytes.buffer as ArrayBuffer))]);
}

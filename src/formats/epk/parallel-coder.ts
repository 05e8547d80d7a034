import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { CorruptStreamError } from '../../codec/corrupt-stream-error.ts';
import { siblingModule } from '../../storage/sibling-module.ts';
import type { EncodedStream } from './encode-stream.ts';
import { StreamKind } from './epk-format.ts';
import { inlineCoder, type StreamCoder, type StreamPart } from './stream-coder.ts';
import type { WorkerAnswer, WorkerRequest } from './stream-worker.ts';

/** About how long a byte takes to code, for the decision whether to start threads. */
const secondsPerByte = {
  block: { encode: 1 / 30e6, decode: 1 / 120e6 },
  mixing: { encode: 1 / 0.3e6, decode: 1 / 0.3e6 },
};
/** Starting threads takes time, and memory for each: all must save more than this, and each have as much to do. */
const defaultMinSeconds = 0.1;

/**
 * A coder that uses up to `threads` worker threads (default: the processor's) where that pays: the streams of small files are coded
 * in this thread. The bytes do not depend on the number.
 */
export function parallelCoder(
  threads: number = availableParallelism(),
  minSeconds: number = defaultMinSeconds,
): StreamCoder {
  return {
    async encode(streams) {
      const count = worthwhileThreads(
        streams.map(({ stream, parts }) => cost(stream.kind, parts, 'encode')),
        threads,
        minSeconds,
      );
      if (count < 2) return inlineCoder.encode(streams);
      const encoded: EncodedStream[] = [];
      const request = (index: number): WorkerRequest => {
        const { stream, parts } = streams[index]!;
        return {
          index,
          encode: {
            stream: { ...stream },
            parts: parts.map(({ bytes, layout }) => ({ bytes: bytes.slice(), layout })),
          },
        };
      };
      await runWorkers(count, bySize(streams), request, (answer) => {
        encoded[answer.index] = answer.encoded!;
      });
      return encoded;
    },
    async decode(streams) {
      const count = worthwhileThreads(
        streams.map(({ kind, parts }) => cost(kind, parts, 'decode')),
        threads,
        minSeconds,
      );
      if (count < 2) return inlineCoder.decode(streams);
      const request = (index: number): WorkerRequest => {
        const { kind, coded, parts } = streams[index]!;
        const empty = parts.map(({ bytes, layout }) => ({ bytes: new Uint8Array(bytes.length), layout }));
        return { index, decode: { kind, coded: coded.slice(), parts: empty } };
      };
      await runWorkers(count, bySize(streams), request, (answer) => {
        for (const [i, { bytes }] of streams[answer.index]!.parts.entries()) bytes.set(answer.decoded![i]!);
      });
    },
  };
}

function cost(kind: number, parts: readonly StreamPart[], direction: 'encode' | 'decode'): number {
  const bytes = parts.reduce((sum, part) => sum + part.bytes.length, 0);
  return bytes * secondsPerByte[kind === StreamKind.mixing ? 'mixing' : 'block'][direction];
}

/** How many threads to use; 1 where they would not save enough. */
export function worthwhileThreads(
  seconds: readonly number[],
  threads: number,
  minSeconds: number = defaultMinSeconds,
): number {
  const total = seconds.reduce((sum, value) => sum + value, 0);
  const count = Math.min(threads, seconds.length, Math.floor(total / minSeconds));
  if (count < 2) return 1;
  const parallel = Math.max(
    total / count,
    seconds.reduce((most, value) => Math.max(most, value), 0),
  );
  return total - parallel > minSeconds ? count : 1;
}

/** Indices of the streams, the largest first, so that none of them is begun last. */
function bySize(streams: readonly { readonly parts: readonly StreamPart[] }[]): number[] {
  const sizes = streams.map(({ parts }) => parts.reduce((sum, part) => sum + part.bytes.length, 0));
  return sizes.map((_, index) => index).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
}

/** Hands the requests to `count` workers, each the next one when it has answered, and ends them. Rejects with the first error. */
async function runWorkers(
  count: number,
  order: readonly number[],
  request: (index: number) => WorkerRequest,
  receive: (answer: WorkerAnswer) => void,
): Promise<void> {
  const workers: Worker[] = [];
  let next = 0;
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(siblingModule(import.meta.url, './stream-worker'));
      workers.push(worker);
      const send = (): void => {
        if (next >= order.length) {
          resolve();
          return;
        }
        const message = request(order[next++]!);
        const parts = 'encode' in message ? message.encode.parts : message.decode.parts;
        const moved = parts.map((part) => part.bytes.buffer as ArrayBuffer);
        if ('decode' in message) moved.push(message.decode.coded.buffer as ArrayBuffer);
        worker.postMessage(message, moved);
      };
      worker.on('message', (answer: WorkerAnswer) => {
        if (answer.error !== undefined) {
          reject(revived(answer.error));
          return;
        }
        receive(answer);
        send();
      });
      worker.on('error', reject);
      worker.on('exit', () => reject(new Error('a thread of the coder ended before its work')));
      send();
    });
  try {
    await Promise.all(Array.from({ length: count }, run));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function revived({ message, isCorrupt, stack }: NonNullable<WorkerAnswer['error']>): Error {
  if (isCorrupt) return new CorruptStreamError(message);
  const error = new Error(message);
  error.stack = stack;
  return error;
}

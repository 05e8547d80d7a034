import { open } from 'node:fs/promises';
import { dataError, reasonOf } from './data-error.ts';

/** Random access to bytes that may lie in memory or in a part of a file. */
export interface ByteSource {
  readonly byteLength: number;
  /** @throws EdgepackError `data-unreadable` where the file cannot be read or has become shorter. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Files (or parts of files) up to this size are read once and kept. */
const keptBytes = 64 * 2 ** 20;

export function bytesInMemory(bytes: Uint8Array): ByteSource {
  return { byteLength: bytes.byteLength, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

/** The bytes `start` to `start + byteLength` of a file; small parts are read once and kept, large ones read piece by piece. */
export function bytesOfFile(path: string, start: number, byteLength: number): ByteSource {
  let kept: Promise<Uint8Array> | undefined;
  if (byteLength > keptBytes) {
    return { byteLength, read: (offset, length) => readFromFile(path, start + offset, length) };
  }
  return {
    byteLength,
    async read(offset, length) {
      kept ??= readFromFile(path, start, byteLength);
      return (await kept).subarray(offset, offset + length);
    },
  };
}

export async function readFromFile(path: string, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  try {
    const file = await open(path, 'r');
    try {
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 2 ** 30), offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw dataError(
      'data-unreadable',
      path,
      `cannot be read (${reasonOf(error)})`,
      'check the file and its permissions',
      error,
    );
  }
  if (done < length) {
    throw dataError(
      'data-unreadable',
      path,
      `ends early: ${length} bytes expected at offset ${offset}, ${done} found`,
      'the file is truncated or was changed meanwhile; write it again',
    );
  }
  return bytes;
}

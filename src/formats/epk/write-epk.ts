import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { writePieces } from '../../storage/write-pieces.ts';
import { decodeEpk } from './decode-epk.ts';
import { type EncodedEpk, type EpkEncodeOptions, type EpkFile, encodeEpk } from './encode-epk.ts';
import { parallelCoder } from './parallel-coder.ts';

/** What `writeEpk` wrote, without the bytes. */
export type WrittenEpk = Omit<EncodedEpk, 'bytes'> & { readonly byteLength: number };

export interface EpkWriteOptions extends EpkEncodeOptions {
  /** Threads to encode and check with. Default: as many as the processor runs; small files are coded by one. The bytes do not depend on it. */
  readonly threads?: number;
}

/**
 * Writes files as one `.epk`, atomically. What was coded is decoded and compared with the input before anything is written, and the
 * written file is read back and compared afterwards.
 * @throws EdgepackError `output-unwritable`
 */
export async function writeEpk(
  path: string,
  files: readonly EpkFile[],
  options: EpkWriteOptions = {},
): Promise<WrittenEpk> {
  const { bytes, ...sizes } = await encodeChecked(files, options);
  writePieces(path, [bytes]);
  if (digest(await readFile(path)) !== digest(bytes)) {
    throw new EdgepackError('output-unwritable', 'reads back differently from what was written', {
      hint: 'check the disk, or write to another one',
      location: { file: path },
    });
  }
  return { ...sizes, byteLength: bytes.length };
}

/** Codes files as one `.epk` and makes sure that decoding it gives the same bytes. */
export async function encodeChecked(
  files: readonly EpkFile[],
  { threads, ...options }: EpkWriteOptions = {},
): Promise<EncodedEpk> {
  const coder = parallelCoder(threads);
  const encoded = await encodeEpk(files, options, coder);
  const input = files.reduce((sum, file) => sum + file.bytes.length, 0);
  const decoded = await decodeEpk(encoded.bytes, { maxOutputBytes: input }, coder);
  files.forEach((file, f) => {
    if (digest(decoded.files[f]!.bytes) !== digest(file.bytes)) throw new Error(`coding ${file.name} is not lossless`);
  });
  return encoded;
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import { type EpkDecodeOptions, openEpk } from './open-epk.ts';
import type { StreamCoder } from './stream-coder.ts';

/**
 * Decodes an `.epk` held in memory: the exact bytes of its files, each checked against its SHA-256. Runs in Node and in browsers.
 * Throws `CorruptStreamError` (an Error with a plain reason) for anything else than an intact `.epk` of a known version.
 */
export async function decodeEpk(
  bytes: Uint8Array,
  options: EpkDecodeOptions = {},
  coder?: StreamCoder,
): Promise<{ readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[] }> {
  const read = async (offset: number, length: number): Promise<Uint8Array> => bytes.subarray(offset, offset + length);
  const archive = await openEpk({ byteLength: bytes.length, read }, options);
  return { files: await archive.decodeFiles(coder) };
}

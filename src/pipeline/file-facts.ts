import { createHash } from 'node:crypto';
import type { FileFacts } from './api-types.ts';

/** Path, size and SHA-256 of a file whose bytes are at hand. */
export function fileFacts(path: string, bytes: Uint8Array): FileFacts {
  return { path, sizeBytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
}

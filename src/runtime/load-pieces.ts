import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { diskFiles, writeFully } from '../storage/file-layer.ts';
import { TemporaryFolder } from '../storage/temporary-folder.ts';
import type { Engine } from './engine.ts';
import type { Session, SessionOptions } from './session.ts';

/**
 * Loads a model that exists only in memory, through a temporary file: neither process holds a second copy of it.
 * @param pieces the bytes of the model file, in order.
 */
export async function loadPieces(
  engine: Engine,
  pieces: readonly Uint8Array[],
  options: SessionOptions & { readonly label: string },
): Promise<Session> {
  const folder = new TemporaryFolder();
  try {
    const path = join(folder.path, 'model.onnx');
    const file = openSync(path, 'wx');
    try {
      for (const piece of pieces) writeFully(diskFiles, file, piece);
    } finally {
      closeSync(file);
    }
    return await engine.load(path, { ...options, temporary: true });
  } finally {
    folder.remove();
  }
}

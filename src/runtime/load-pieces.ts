import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-'));
  try {
    const path = join(folder, 'model.onnx');
    const file = openSync(path, 'wx');
    try {
      for (const piece of pieces) {
        for (let offset = 0; offset < piece.byteLength; ) offset += writeSync(file, piece, offset);
      }
    } finally {
      closeSync(file);
    }
    return await engine.load(path, options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { TemporaryFolder } from '../storage/temporary-folder.ts';
import type { EnginePath } from './engine-path.ts';
import { isEpk } from './open-bench-model.ts';
import { unpack } from './pack-model.ts';

/**
 * The `.onnx` of a model that may be packed: the file itself, or what an `.epk` holds, until it is removed.
 * @throws EdgepackError `epk-unreadable`, and `file-not-found` for a file that cannot be opened.
 */
export async function unpackedModel(file: string): Promise<EnginePath> {
  if (!isFile(file) || !isEpk(file)) return { path: file, remove() {} };
  const folder = new TemporaryFolder();
  try {
    const path = join(folder.path, 'model.onnx');
    await unpack(file, path);
    return { path, remove: () => folder.remove() };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

/** False for all that cannot be looked at: whoever reads the model says why. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Runs what reads a model that may be packed; its errors name the file that was given. */
export async function withUnpacked<T>(file: string, use: (onnxPath: string) => T | Promise<T>): Promise<T> {
  const { path, remove } = await unpackedModel(file);
  try {
    return await use(path);
  } catch (error) {
    if (!(error instanceof EdgepackError) || error.location.file !== path) throw error;
    const { code, message, hint, location, cause } = error;
    const named = { location: { ...location, file }, cause };
    throw new EdgepackError(code, message, hint === undefined ? named : { ...named, hint });
  } finally {
    remove();
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readModel } from '../formats/onnx/read-model.ts';
import { writeModel } from '../formats/onnx/write-model.ts';

/** A model's file as the engine opens it. */
export interface EnginePath {
  readonly path: string;
  /** Removes the copy, where one was made. */
  remove(): void;
}

/** The engine itself refuses linked data files: where links are allowed it gets a copy with all data inside. */
export function enginePath(modelPath: string, allowLinks: boolean): EnginePath {
  if (!allowLinks) return { path: modelPath, remove() {} };
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const path = join(folder, 'model.onnx');
    writeModel(readModel(modelPath, { allowLinks }), path);
    return { path, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

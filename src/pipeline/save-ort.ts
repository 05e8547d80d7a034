import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { canonicalizeOrt } from '../formats/ort/canonicalize-ort.ts';
import type { Engine } from '../runtime/engine.ts';
import { TemporaryFolder } from '../storage/temporary-folder.ts';
import type { Feeds } from '../tensor/nd-array.ts';

/**
 * Fusions and constant folding, but no layouts: what the engine does beyond them follows the processor it runs on, and a
 * file with blocked layouts of x86 has nodes that no ARM build runs.
 */
const PORTABLE = 'extended';

/**
 * The model in ONNX Runtime's own format, as the engine saves it; checked to load and to give the same outputs, bit by bit,
 * as the `.onnx` with the same fusions.
 * @param model the bytes of the `.onnx` file.
 * @throws EdgepackError `engine-failed` where it does not.
 */
export async function saveOrt(engine: Engine, model: Uint8Array, feeds: Feeds, threads: number): Promise<Uint8Array> {
  const folder = new TemporaryFolder();
  try {
    const [onnx, ort] = ['model.onnx', 'model.ort'].map((name) => join(folder.path, name)) as [string, string];
    writeFileSync(onnx, model);
    const fused = await engine.load(onnx, {
      threads,
      optimization: PORTABLE,
      optimizedModelPath: ort,
      optimizedModelFormat: 'ort',
      label: 'the compressed model, saved as .ort',
      temporary: true,
    });
    const expected = await fused.run(feeds);
    await fused.release();
    const bytes = canonicalizeOrt(readFileSync(ort));
    writeFileSync(ort, bytes);
    const saved = await engine.load(ort, { threads, label: 'the .ort', temporary: true });
    const found = await saved.run(feeds);
    await saved.release();
    for (const [name, array] of Object.entries(expected)) {
      if (isSame(array.data, found[name]?.data)) continue;
      throw new EdgepackError('engine-failed', `the .ort gives another output '${printable(name)}' than the .onnx`, {
        hint: 'Leave out --format, and please report this.',
      });
    }
    return bytes;
  } finally {
    folder.remove();
  }
}

function isSame(a: ArrayBufferView, b: ArrayBufferView | undefined): boolean {
  if (b === undefined) return false;
  const [left, right] = [a, b].map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
  return left!.equals(right!);
}

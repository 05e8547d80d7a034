import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import type { EpkFile } from '../formats/epk/encode-epk.ts';
import { isConfinedName } from '../formats/epk/epk-format.ts';
import { readEpk } from '../formats/epk/read-epk.ts';
import { writeEpk } from '../formats/epk/write-epk.ts';
import { externalFiles } from '../formats/onnx/external-files.ts';
import { locateInitializers } from '../formats/onnx/locate-initializers.ts';
import { readModel } from '../formats/onnx/read-model.ts';
import { ContainedFile } from '../storage/contained-file.ts';
import { completeOutputs, OutputSet } from '../storage/output-set.ts';
import type { PackOptions, PackResult, RunContext } from './api-types.ts';
import { fileFacts } from './file-facts.ts';

/**
 * Writes a model, with the files that hold its external data, as one `.epk`. Nothing is lost: {@link unpack} gives the same bytes.
 * @throws EdgepackError `output-exists` without `force`, `output-unwritable`, or what reading the model throws.
 */
export async function pack(
  modelPath: string,
  epkPath: string,
  options: PackOptions = {},
  context: RunContext = {},
): Promise<PackResult> {
  completeOutputs(dirname(epkPath));
  refuseExisting([epkPath], options);
  const files = modelFiles(modelPath, options);
  context.signal?.throwIfAborted();
  const { byteLength } = await writeEpk(epkPath, files);
  return {
    onnx: { ...fileFacts(modelPath, files[0]!.bytes), sizeBytes: totalBytes(files) },
    epk: { path: epkPath, sizeBytes: byteLength, sha256: sha256(readFileSync(epkPath)) },
  };
}

/**
 * Writes the model of an `.epk`, and beside it the files of its external data under their own names, byte for byte as they were
 * packed. Every file is read back and compared with the SHA-256 in the `.epk`.
 * @throws EdgepackError `epk-unreadable`, `file-not-found`, `output-exists` without `force`, `output-unwritable`.
 */
export async function unpack(
  epkPath: string,
  modelPath: string,
  options: PackOptions = {},
  context: RunContext = {},
): Promise<PackResult> {
  completeOutputs(dirname(modelPath));
  refuseExisting([modelPath], options);
  const { files } = await readEpk(epkPath);
  context.signal?.throwIfAborted();
  const [model, ...external] = files;
  if (model === undefined) {
    throw new EdgepackError('epk-unreadable', 'holds no model', { location: { file: epkPath } });
  }
  const outputs = new OutputSet(dirname(modelPath));
  try {
    refuseExisting([...external.map(({ name }) => join(dirname(modelPath), ...name.split('/'))), modelPath], options);
    for (const { name, bytes } of external) outputs.add(name, [bytes]);
    outputs.add(basename(modelPath), [model.bytes]);
    context.signal?.throwIfAborted();
    outputs.commit(options);
  } finally {
    outputs.close();
  }
  const packed = readFileSync(epkPath);
  return {
    onnx: { ...fileFacts(modelPath, model.bytes), sizeBytes: totalBytes(files) },
    epk: fileFacts(epkPath, packed),
  };
}

/** The model's file first, then the files of its external data; what they hold is checked on the way. */
function modelFiles(modelPath: string, options: PackOptions): readonly EpkFile[] {
  readModel(modelPath, options);
  const bytes = readFileSync(modelPath);
  const name = isConfinedName(basename(modelPath)) ? basename(modelPath) : 'model.onnx';
  const external = externalFiles(bytes).map(({ location, sections }) => {
    const file = new ContainedFile(dirname(modelPath), location, options);
    return {
      name: location
        .split('/')
        .filter((part) => part !== '.')
        .join('/'),
      bytes: file.read(0, file.sizeBytes),
      sections,
    };
  });
  return [{ name, bytes, sections: locateInitializers(bytes) }, ...external];
}

function refuseExisting(paths: readonly string[], { force = false }: PackOptions): void {
  const existing = force ? undefined : paths.find((path) => existsSync(path));
  if (existing === undefined) return;
  throw new EdgepackError('output-exists', `${printable(existing, 300)} is already there`, {
    hint: 'Choose another name, or overwrite it with --force.',
    location: { file: existing },
  });
}

function totalBytes(files: readonly { readonly bytes: Uint8Array }[]): number {
  return files.reduce((sum, file) => sum + file.bytes.byteLength, 0);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** Material kept beside the repository, not in it: tests that need it are skipped where it is absent. */
const sharedFolder = fileURLToPath(new URL('../../../../shared/', import.meta.url));
const archivePath = join(sharedFolder, 'conformance', 'onnx-node-tests.tar.gz');
const zooFolder = join(sharedFolder, 'zoo');

export const hasConformance = existsSync(archivePath);
export const hasZoo = existsSync(zooFolder);

/** The regular files of a tar archive (POSIX ustar and GNU long names), by path. */
export function readTar(archive: Uint8Array): Map<string, Buffer> {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const files = new Map<string, Buffer>();
  let longName: string | undefined;
  for (let offset = 0; offset + 512 <= bytes.length && bytes[offset] !== 0; ) {
    const text = (start: number, length: number) =>
      bytes.toString('utf8', offset + start, offset + start + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12).trim() || '0', 8);
    const kind = text(156, 1);
    const content = bytes.subarray(offset + 512, offset + 512 + size);
    const prefix = text(257, 5) === 'ustar' ? text(345, 155) : '';
    const name = longName ?? (prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`);
    longName = undefined;
    if (kind === 'L') longName = content.toString('utf8').replace(/\0.*$/s, '');
    else if (kind === '0' || kind === '') files.set(name.replace(/^\.\//, ''), content);
    offset += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** Every file of the conformance archive, by path (`node/<case>/model.onnx`, …). */
export function conformanceFiles(): Map<string, Buffer> {
  return readTar(gunzipSync(readFileSync(archivePath)));
}

/** The conformance models, by path. */
export function conformanceModels(): [path: string, bytes: Buffer][] {
  return [...conformanceFiles()].filter(([path]) => path.endsWith('.onnx'));
}

/** Paths of the zoo's model files. */
export function zooModelPaths(): string[] {
  return readdirSync(zooFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => readdirSync(join(zooFolder, entry.name)).map((name) => join(zooFolder, entry.name, name)))
    .filter((path) => path.endsWith('.onnx'))
    .sort();
}

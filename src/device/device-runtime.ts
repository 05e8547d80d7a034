import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import type { ArchiveFile } from './tar-archive.ts';

/** Architectures of Linux that ONNX Runtime for Node.js comes for, by the names of Node.js. */
export type DeviceArchitecture = 'arm64' | 'x64';

/** What is put on a device, as one folder there that is named for its content. */
export interface DeviceFolder {
  /** SHA-256 of the list of the files' hashes and names, in hexadecimal digits. */
  readonly id: string;
  /** Hash and name of each file. */
  readonly entries: readonly (readonly [sha256: string, name: string])[];
}

export interface DeviceRuntime extends DeviceFolder {
  readonly files: readonly ArchiveFile[];
  readonly sizeBytes: number;
}

/** The built package: of the sources the one beside them. */
const builtFolder = fileURLToPath(new URL('../../dist/', import.meta.url));
/** The agent and what it starts; each file holds all it imports. */
const agentFiles = ['device/agent/main.js', 'runtime/child/main.js', 'runtime/child/watchdog.js'];

/** The agent and ONNX Runtime for the device's architecture, which its package brings along for all of them. */
export function deviceRuntime(architecture: DeviceArchitecture, built = builtFolder): DeviceRuntime {
  const files: ArchiveFile[] = [];
  const add = (path: string, name: string) => {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status?.isFile()) files.push({ name, sizeBytes: status.size, content: path });
  };
  const addFolder = (folder: string, prefix: string, wanted: (name: string) => boolean) => {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      const portable = name.replaceAll('\\', '/');
      if (wanted(portable)) add(join(folder, name), `${prefix}/${portable}`);
    }
  };
  const isCode = (name: string) => /\.c?js$|(^|\/)package\.json$/.test(name);
  const packageText = Buffer.from('{"type":"module"}\n');
  files.push({ name: 'package.json', sizeBytes: packageText.length, content: packageText });
  for (const name of agentFiles) add(join(built, name), `dist/${name}`);
  const engine = packageFolder('onnxruntime-node');
  const library = libraryFolder(architecture);
  const isOfEngine = (name: string) =>
    name === 'package.json' || (name.startsWith('dist/') && isCode(name)) || name.startsWith(library);
  addFolder(engine, 'node_modules/onnxruntime-node', isOfEngine);
  const common = packageFolder('onnxruntime-common', join(engine, 'package.json'));
  addFolder(
    common,
    'node_modules/onnxruntime-common',
    (name) => name === 'package.json' || (name.startsWith('dist/cjs/') && isCode(name)),
  );
  const entries = files.map(({ name, content }) => [sha256(content), name] as const);
  return { id: folderId(entries), entries, files, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) };
}

/** @throws EdgepackError `engine-missing` where a part is not installed, such as the library of an architecture. */
export function requireComplete({ files }: DeviceRuntime, architecture: DeviceArchitecture): void {
  const library = `node_modules/onnxruntime-node/${libraryFolder(architecture)}`;
  for (const needed of [...agentFiles.map((name) => `dist/${name}`), library]) {
    if (files.some(({ name }) => name.startsWith(needed))) continue;
    throw new EdgepackError('engine-missing', `${needed} is not there to be copied to the device`, {
      hint: 'Install the dependencies again: npm install --ignore-scripts',
    });
  }
}

/** The hash of the list that the device keeps in the folder, as `sha256sum` writes it. */
export function folderId(entries: DeviceFolder['entries']): string {
  return sha256(Buffer.from(entries.map(([hash, name]) => `${hash}  ${name}\n`).join('')));
}

function libraryFolder(architecture: DeviceArchitecture): string {
  return `bin/napi-v6/linux/${architecture}/`;
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256')
    .update(typeof content === 'string' ? readFileSync(content) : content)
    .digest('hex');
}

function packageFolder(name: string, from: string = import.meta.url): string {
  try {
    const require = createRequire(from);
    // Packages may keep their description to themselves: it lies above their entry.
    let folder = dirname(require.resolve(name));
    while (!readdirSync(folder).includes('package.json') || !isPackage(folder, name)) {
      if (dirname(folder) === folder) throw new Error(`${name} has no package.json`);
      folder = dirname(folder);
    }
    return folder;
  } catch (cause) {
    throw new EdgepackError('engine-missing', `the package ${name} is not installed`, {
      hint: 'Install the dependencies again: npm install --ignore-scripts',
      cause,
    });
  }
}

function isPackage(folder: string, name: string): boolean {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string }).name === name;
}

import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { diskFiles, writeFully } from '../../storage/file-layer.ts';
import { MODEL_CACHE_BYTES, type ModelFile } from './device-protocol.ts';

/**
 * Models on a device, each in a folder named for the names and hashes of its files. A folder appears by one rename when all
 * of it is there and checked, and what is found there is checked again.
 */
export class ModelCache {
  readonly #folder: string;
  readonly #scratch: string;
  readonly #used = new Set<string>();
  #incoming: { readonly files: readonly ModelFile[]; readonly folder: string; readonly sizes: number[] } | undefined;

  /** @param scratch a folder of this process on the same file system. */
  constructor(folder: string, scratch: string) {
    this.#folder = folder;
    this.#scratch = scratch;
  }

  /** The path of a model that is there; undefined where its pieces have to come. */
  async open(files: readonly ModelFile[]): Promise<string | undefined> {
    for (const { name } of files) requireContained(name);
    const folder = join(this.#folder, keyOf(files));
    if (existsSync(folder)) {
      if (await isIntact(folder, files)) return this.#use(folder, files);
      rmSync(folder, { recursive: true, force: true });
    }
    this.#incoming = { files, folder: mkdtempSync(join(this.#scratch, 'model-')), sizes: files.map(() => 0) };
    for (const { name } of files) {
      const path = join(this.#incoming.folder, name);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeSync(openSync(path, 'wx', 0o600));
    }
    return undefined;
  }

  put(index: number, bytes: Uint8Array): void {
    const file = this.#incoming?.files[index];
    if (this.#incoming === undefined || file === undefined)
      throw new Error('a piece came of a model that nobody sends');
    this.#incoming.sizes[index]! += bytes.length;
    if (this.#incoming.sizes[index]! > file.sizeBytes) throw new Error('more came of a model than it has');
    const handle = openSync(join(this.#incoming.folder, file.name), 'a');
    try {
      writeFully(diskFiles, handle, bytes);
    } finally {
      closeSync(handle);
    }
  }

  /** @throws Error where something is missing or damaged. */
  async close(): Promise<string> {
    const { files, folder } = this.#incoming ?? { files: [], folder: '' };
    this.#incoming = undefined;
    if (files.length === 0 || !(await isIntact(folder, files))) {
      throw new Error('the model did not arrive as it was sent');
    }
    const final = join(this.#folder, keyOf(files));
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    try {
      renameSync(folder, final);
    } catch (error) {
      // Another run was faster.
      if (!existsSync(final) || !(await isIntact(final, files))) throw error;
    }
    return this.#use(final, files);
  }

  /** Removes what was not used for longest, until the rest fits. */
  prune(): void {
    if (!existsSync(this.#folder)) return;
    const folders = readdirSync(this.#folder).map((name) => {
      const path = join(this.#folder, name);
      const sizeBytes = readdirSync(path, { recursive: true, encoding: 'utf8' }).reduce(
        (sum, file) => sum + statSync(join(path, file)).size,
        0,
      );
      return { path, sizeBytes, usedMs: statSync(path).mtimeMs };
    });
    let total = folders.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (const { path, sizeBytes } of folders.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= MODEL_CACHE_BYTES) return;
      if (this.#used.has(path)) continue;
      rmSync(path, { recursive: true, force: true });
      total -= sizeBytes;
    }
  }

  #use(folder: string, files: readonly ModelFile[]): string {
    const now = new Date();
    utimesSync(folder, now, now);
    this.#used.add(folder);
    return join(folder, files[0]!.name);
  }
}

function keyOf(files: readonly ModelFile[]): string {
  const hash = createHash('sha256');
  for (const { name, sha256 } of files) hash.update(JSON.stringify([name, sha256]));
  return hash.digest('hex');
}

async function isIntact(folder: string, files: readonly ModelFile[]): Promise<boolean> {
  for (const { name, sizeBytes, sha256 } of files) {
    try {
      const path = join(folder, name);
      if (statSync(path).size !== sizeBytes) return false;
      const hash = createHash('sha256');
      for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
      if (hash.digest('hex') !== sha256) return false;
    } catch {
      return false;
    }
  }
  return true;
}

/** The host names the files: a name that leaves the folder would be its mistake, and is not followed. */
function requireContained(name: string): void {
  const parts = name.split('/');
  if (
    name.includes('\\') ||
    name.includes('\0') ||
    parts.some((part) => part === '' || part === '.' || part === '..')
  ) {
    throw new Error('a file of the model has a name that leads elsewhere');
  }
}

import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityText, isAlive, parseIdentity } from './process-identity.ts';

const START = 'edgepack-';
let hasSwept = false;

/**
 * A folder for this process alone, in the system's folder for temporary files. It goes with {@link remove} or, at the latest,
 * with the process; one that a killed process left is removed by the next process that makes one.
 */
export class TemporaryFolder {
  readonly path: string;
  readonly #atExit = () => this.remove();

  constructor() {
    if (!hasSwept) removeAbandoned();
    hasSwept = true;
    this.path = mkdtempSync(join(tmpdir(), `${START}${identityText()}-`));
    process.on('exit', this.#atExit);
  }

  remove(): void {
    process.off('exit', this.#atExit);
    try {
      rmSync(this.path, { recursive: true, force: true });
    } catch {
      // Removed by a later run.
    }
  }
}

/** Folders of dead processes of this host and this user; everybody else's stay. */
function removeAbandoned(): void {
  let names: string[];
  try {
    names = readdirSync(tmpdir());
  } catch {
    return;
  }
  for (const name of names) {
    const parts = name.startsWith(START) ? /^(.+)-[A-Za-z0-9]{6}$/.exec(name.slice(START.length)) : null;
    const owner = parts === null ? undefined : parseIdentity(parts[1]!);
    if (owner === undefined || isAlive(owner) !== false) continue;
    const path = join(tmpdir(), name);
    try {
      const status = lstatSync(path);
      const isOurs = process.getuid === undefined || status.uid === process.getuid();
      if (status.isDirectory() && isOurs) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another run was faster.
    }
  }
}

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

interface Bundler {
  bundleProcesses(folder: string): Promise<void>;
}

/** What goes to a device, built from the sources as they are now. The caller removes the folder. */
export async function buildPackage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'built-'));
  const path = resolve(import.meta.dirname, '..', '..', 'scripts', 'bundle.mjs');
  const { bundleProcesses } = (await import(/* @vite-ignore */ path)) as Bundler;
  await bundleProcesses(folder);
  return folder;
}

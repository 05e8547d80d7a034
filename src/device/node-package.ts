import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { type DeviceArchitecture, type DeviceFolder, folderId } from './device-runtime.ts';

/** A Node.js for devices that have none, from the registry of npm. */
const version = '22.23.3';
const packages: Readonly<Record<DeviceArchitecture, { readonly integrity: string; readonly programSha256: string }>> = {
  arm64: {
    integrity: 'l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
    programSha256: 'd09e299258c24f7cdf6f5d5ec185e3a56512b27a697113735dac909f1cac7b8d',
  },
  x64: {
    integrity: 'qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
    programSha256: 'fde6a4bf8d0562f7751d1a2d6cb9b417c4cfe107bbcb0aa3e9a24e125e348f48',
  },
};

export const NODE_PROGRAM = 'package/bin/node';
/** What it takes on the device. */
export const NODE_BYTES = 130_000_000;

/** The folder of a device that holds Node.js. */
export function nodeFolder(architecture: DeviceArchitecture): DeviceFolder {
  const entries = [[packages[architecture].programSha256, NODE_PROGRAM]] as const;
  return { id: folderId(entries), entries };
}

/**
 * Has npm fetch the package into a folder, or take it from its cache, and checks it.
 * @returns the path of the archive, a `.tgz` with {@link NODE_PROGRAM} in it.
 */
export async function fetchNode(
  architecture: DeviceArchitecture,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const name = `node-linux-${architecture}@${version}`;
  const hint = 'Install Node.js 20 or newer on the device, or give npm a way to the registry here';
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const options = { cwd: folder, signal, shell: process.platform === 'win32', timeout: 600_000 };
    await promisify(execFile)(npm, ['pack', '--silent', '--ignore-scripts', name], options);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new EdgepackError('device-unsuitable', `the device has no Node.js, and npm could not fetch ${name} for it`, {
      hint,
      cause,
    });
  }
  const path = join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? 'package.tgz');
  const hash = createHash('sha512');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  if (hash.digest('base64') !== packages[architecture].integrity) {
    throw new EdgepackError('device-unsuitable', `what npm fetched is not the ${name} that edgepack knows`, { hint });
  }
  return path;
}

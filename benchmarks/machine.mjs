import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a row of results is about: this version on this machine. */
export function machine(root, version) {
  return {
    version,
    commit: commitOf(root),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
  };
}

function commitOf(root) {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return null;
  }
}

/** Size of a file after `xz -9e`, or null where there is no xz. */
export function xzBytes(path) {
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-xz-'));
  const packed = join(folder, 'packed.xz');
  const output = openSync(packed, 'w');
  try {
    execFileSync('xz', ['-9e', '--keep', '--stdout', '--threads=1', path], { stdio: ['ignore', output, 'ignore'] });
    return statSync(packed).size;
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  } finally {
    closeSync(output);
    rmSync(folder, { recursive: true });
  }
}

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../bin/edgepack.js', import.meta.url));

export interface CommandRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Time of the processor that the program and the engine's process took: a busy host does not make it much longer. */
  readonly cpuMs: number;
  /** Largest resident memory of the program and of the engine's process; 0 where the system does not tell. */
  readonly toolPeakBytes: number;
  readonly enginePeakBytes: number;
}

/** However busy the host is, no command may wait for longer. */
const PATIENCE_MS = 300_000;

/** Runs the built program and watches its memory and time and those of its children; kills it beyond `limitMs` of the processor. */
export function runCommand(
  args: readonly string[],
  folder: string,
  temporaryFolder: string,
  limitMs: number,
): Promise<CommandRun> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporaryFolder, NODE_OPTIONS: '', NO_COLOR: '1' },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  let toolPeakBytes = 0;
  let enginePeakBytes = 0;
  let cpuMs = 0;
  const watch = setInterval(() => {
    toolPeakBytes = Math.max(toolPeakBytes, peakBytesOf(child.pid!));
    let sum = cpuMsOf(child.pid!);
    for (const pid of childrenOf(child.pid!)) {
      enginePeakBytes = Math.max(enginePeakBytes, peakBytesOf(pid));
      sum += cpuMsOf(pid);
    }
    cpuMs = Math.max(cpuMs, sum);
    if (cpuMs > limitMs) child.kill('SIGKILL');
  }, 10);
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  return new Promise((resolve) => {
    child.on('close', (exitCode) => {
      clearInterval(watch);
      clearTimeout(patience);
      resolve({ exitCode, stdout, stderr, cpuMs, toolPeakBytes, enginePeakBytes });
    });
  });
}

function peakBytesOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Of a process and its children that have ended; the system counts in hundredths of a second. */
function cpuMsOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * 10;
  } catch {
    return 0;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** A folder for a case with some room around it that must not change, and a folder for temporary files. */
export class CaseFolder {
  readonly #root = mkdtempSync(join(tmpdir(), 'edgepack-hostile-'));
  readonly path = join(this.#root, 'around', 'case');
  readonly temporary = join(this.#root, 'tmp');

  constructor() {
    mkdirSync(this.path, { recursive: true });
    mkdirSync(this.temporary);
  }

  /** Every file here and around, with what it holds. */
  snapshot(): Map<string, string> {
    const entries = new Map<string, string>();
    const visit = (folder: string, name: string) => {
      for (const child of readdirSync(folder)) {
        const path = join(folder, child);
        const stats = lstatSync(path);
        const key = `${name}/${child}`;
        if (stats.isDirectory()) {
          entries.set(key, 'folder');
          visit(path, key);
        } else if (stats.isSymbolicLink()) entries.set(key, `link ${readlinkSync(path)}`);
        else if (!stats.isFile() || stats.size > 2 ** 26)
          entries.set(key, `${stats.mode} ${stats.size} ${stats.mtimeMs}`);
        else entries.set(key, createHash('sha256').update(readFileSync(path)).digest('hex'));
      }
    };
    visit(this.#root, '');
    return entries;
  }

  /** Bytes of the files of the case, without holes of sparse ones. */
  sizeBytes(): number {
    return readdirSync(this.path).reduce((sum, name) => sum + lstatSync(join(this.path, name)).blocks * 512, 0);
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

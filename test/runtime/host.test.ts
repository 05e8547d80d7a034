import { describe, expect, it } from 'vitest';
import { describeHost, parseCpuInfo, simdFeatures } from '../../src/runtime/host.ts';

const x86 = `processor\t: 0
model name\t: Intel(R) N100
physical id\t: 0
core id\t\t: 0
flags\t\t: fpu sse2 avx2 avx_vnni

processor\t: 1
model name\t: Intel(R) N100
physical id\t: 0
core id\t\t: 1
flags\t\t: fpu sse2 avx2 avx_vnni

processor\t: 2
model name\t: Intel(R) N100
physical id\t: 0
core id\t\t: 1
flags\t\t: fpu sse2 avx2 avx_vnni
`;
const cortexA72 = `processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU part\t: 0xd08

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
`;

describe('the description of the host', () => {
  it('reads x86', () => {
    const { modelName, physicalCores, features } = parseCpuInfo(x86);
    expect([modelName, physicalCores]).toEqual(['Intel(R) N100', 2]);
    expect(simdFeatures('x64', features)).toEqual({
      avx2: true,
      avx512: false,
      vnni: true,
      dotProduct: false,
      int8MatrixMultiply: false,
    });
  });

  it('reads ARM', () => {
    const { modelName, physicalCores, features } = parseCpuInfo(cortexA72);
    expect([modelName, physicalCores]).toEqual([undefined, undefined]);
    expect(simdFeatures('arm64', features)).toMatchObject({ avx2: false, vnni: false, dotProduct: false });
    expect(simdFeatures('arm64', new Set(['asimddp', 'i8mm']))).toMatchObject({
      dotProduct: true,
      int8MatrixMultiply: true,
    });
  });

  it('does not say no to what it does not know', () => {
    expect(simdFeatures('x64', undefined)).toMatchObject({ avx2: undefined, vnni: undefined, dotProduct: false });
  });

  it('describes this one', () => {
    const host = describeHost();
    expect(host.cpuName).not.toBe('');
    expect(host.logicalCores).toBeGreaterThan(0);
    expect(host.memoryBytes).toBeGreaterThan(2 ** 20);
    if (host.architecture === 'arm64') expect(host.saturatesPairs).toBe(false);
    if (host.simd.vnni === true) expect(host.saturatesPairs).toBe(false);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compress } from '../../src/index.ts';
import { reportSchema } from '../../src/report/report-schema.ts';
import { loadTarget } from '../../src/targets/load-target.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));

describe("a target's profile that tells int8 from float", () => {
  let folder: string;
  let count = 0;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'profile-evidence-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** As if the rows of the Raspberry Pi 4 were of our engine, with int8 this many times slower than it was. */
  function targetWith(factor: number): string {
    const { latency, ...target } = loadTarget('rpi4');
    const profiles = latency!.profiles.map(({ int8Twin: _, ...profile }) => {
      const slowed = profile.precision === 'int8' ? factor : 1;
      const coefficients = Object.entries(profile.coefficientsMs).map(([name, ms]) => [name, ms! * slowed]);
      return { ...profile, engine: 'onnxruntime', coefficientsMs: Object.fromEntries(coefficients) };
    });
    const path = join(folder, `target-${count++}.json`);
    writeFileSync(path, JSON.stringify({ ...target, name: 'rpi4-rows', latency: { profiles, transfers: [] } }));
    return path;
  }

  async function shipped(factor: number, allowSlower = false) {
    const { report } = await compress(join(fixtures, 'digits-dense.onnx'), {
      target: targetWith(factor),
      data: join(fixtures, 'digits.npz'),
      recipe: 'accurate',
      threads: 1,
      allowSlower,
      output: join(folder, `out-${count}`),
      cacheFolder: join(folder, 'cache'),
    });
    return report!;
  }

  it('decides where its interval does not hold 1, whatever this host says', async () => {
    const slow = await shipped(1e4);
    expect(slow.execution).toMatchObject({ shipped: 'weights', evidence: { kind: 'profile', notes: [] } });
    expect(slow.execution!.because).toMatch(
      /^int8 would run .* slower on Raspberry Pi 4 Model B without dot-product instructions: weights stored as int8, executed in float$/,
    );
    expect(slow.execution!.evidence.label).toMatch(/^predicted for Raspberry Pi 4 Model B, not measured/);
    expect(slow.layers.every(({ precision, reason }) => precision === 'float' && reason?.startsWith('for speed'))).toBe(
      true,
    );
    expect(slow.integerShare!.total).toBe(0);
    const fast = await shipped(1e-4);
    expect(fast.execution).toMatchObject({ shipped: 'int8', evidence: { kind: 'profile' } });
    expect(fast.execution!.variants).toMatchObject([{ execution: 'int8', verdict: 'faster', shipped: true }]);
  });

  it('has nothing to say of a provider that no engine here has', async () => {
    const { report } = await compress(join(fixtures, 'digits-dense.onnx'), {
      target: 'jetson-orin-nano',
      provider: 'tensorrt',
      data: join(fixtures, 'digits.npz'),
      recipe: 'accurate',
      output: join(folder, 'tensorrt'),
      cacheFolder: join(folder, 'cache'),
    });
    expect(report!.execution).toMatchObject({ shipped: 'int8', variants: [], evidence: { kind: 'none' } });
    expect(report!.execution!.because).toMatch(/^what the recipe made is shipped without a comparison: .*TensorRT/);
    expect(() => reportSchema.parse(report)).not.toThrow();
  });

  it('leaves it to this host where it cannot tell', async () => {
    const { execution } = await shipped(1, true);
    expect(execution!.evidence.kind).toBe('host');
    expect(execution!.evidence.notes.join()).toMatch(/cannot tell: int8 would take .* the time of float/);
  });
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listTargets, loadTarget } from '../../src/targets/load-target.ts';
import { thrownBy } from './thrown-by.ts';

function leafPaths(value: unknown, path = ''): string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leafPaths(inner, path === '' ? key : `${path}.${key}`));
}

function hasPath(value: unknown, path: string): boolean {
  let current = value;
  for (const key of path.split('.')) {
    if (current === null || typeof current !== 'object' || !(key in current)) return false;
    current = (current as Record<string, unknown>)[key];
  }
  return true;
}

const folder = mkdtempSync(join(tmpdir(), 'edgepack-targets-'));
function profile(change: Record<string, unknown>): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.json`);
  writeFileSync(path, JSON.stringify({ ...loadTarget('rpi4'), ...change }));
  return path;
}

describe('built-in targets', () => {
  it('are the fourteen devices', () => {
    expect(listTargets()).toEqual([
      'android-arm64',
      'apple-arm64',
      'browser',
      'generic-arm64',
      'generic-x64',
      'jetson-nano',
      'jetson-orin-nano',
      'kria-kv260',
      'n100',
      'rk3588',
      'rpi-zero2w',
      'rpi3b+',
      'rpi4',
      'rpi5',
    ]);
  });

  it.each(listTargets())('%s: every value has a source, and what is unchecked exists', (name) => {
    const target = loadTarget(name);
    expect(target.name).toBe(name);
    // Latency models and processors name their sources themselves.
    const {
      $schema,
      schemaVersion,
      name: _,
      displayName,
      latency,
      processors,
      notes,
      sources,
      unchecked,
      ...values
    } = target;
    const sourced = Object.keys(sources);
    for (const path of leafPaths(values)) {
      expect(
        sourced.some((source) => path === source || path.startsWith(`${source}.`)),
        `${name}: ${path} has no source`,
      ).toBe(true);
    }
    for (const path of [...sourced, ...unchecked]) expect(hasPath(values, path), `${name}: ${path}`).toBe(true);
    for (const [path, source] of Object.entries(sources)) {
      if (/not checked/.test(source)) {
        expect(
          unchecked.some((entry) => path === entry || path.startsWith(`${entry}.`)),
          `${name}: ${path} is not checked but not listed as such`,
        ).toBe(true);
      }
    }
  });

  it('only x86 without VNNI saturates', () => {
    const saturating = listTargets().filter((name) => loadTarget(name).arithmetic === 'saturating-u8s8');
    expect(saturating).toEqual(['generic-x64']);
    for (const name of listTargets()) {
      const { architecture, cpu, arithmetic } = loadTarget(name);
      expect(arithmetic === 'exact').toBe(architecture !== 'x64' || cpu.dotProduct);
    }
  });

  it('hold latency models only with the rows they come from and what they got wrong', () => {
    const withLatency = listTargets().filter((name) => loadTarget(name).latency !== undefined);
    expect(withLatency).toEqual(['jetson-nano', 'jetson-orin-nano', 'rk3588', 'rpi-zero2w', 'rpi3b+', 'rpi4', 'rpi5']);
    for (const name of withLatency) {
      for (const profile of loadTarget(name).latency!.profiles) {
        expect(profile.source).toMatch(/^Tencent\/ncnn@[0-9a-f]{40}:benchmark\/README\.md#L\d+$/);
        expect(profile.error!.rows).toBeGreaterThan(4);
        expect(profile.error!.medianError).toBeGreaterThan(0.02);
        expect(profile.band.rows).toBe(profile.error!.rows);
        expect(profile.int8Twin !== undefined).toBe(profile.precision === 'int8');
      }
    }
  });
});

describe('loadTarget', () => {
  it('suggests the name that was meant', () => {
    const error = thrownBy(() => loadTarget('rpi-4'));
    expect(error.code).toBe('target');
    expect(error.exitCode).toBe(2);
    expect(error.hint).toContain('rpi4');
    expect(thrownBy(() => loadTarget('toaster')).hint).toContain('generic-arm64');
  });

  it("reads a user's profile by path", () => {
    expect(loadTarget(profile({ name: 'my-board', threads: 2 })).threads).toBe(2);
  });

  it('names an unknown key and the one that was meant', () => {
    const error = thrownBy(() => loadTarget(profile({ theads: 3 })));
    expect(error.code).toBe('target');
    expect(error.message).toContain("unknown key 'theads'");
    expect(error.hint).toContain('threads');
    expect(error.message.split('\n')).toHaveLength(1);
  });

  it('names the key of a wrong value', () => {
    const error = thrownBy(() => loadTarget(profile({ arithmetic: 'fuzzy' })));
    expect(error.message).toContain('arithmetic');
    expect(error.location.key).toBe('arithmetic');
    const nested = thrownBy(() => loadTarget(profile({ cpu: { ...loadTarget('rpi4').cpu, cores: 0 } })));
    expect(nested.location.key).toBe('cpu.cores');
  });

  it('refuses providers and toolchains that nobody knows', () => {
    const [cpu] = loadTarget('rpi4').processors;
    const typo = thrownBy(() => loadTarget(profile({ processors: [{ ...cpu, providers: ['cpu', 'tensort'] }] })));
    expect(typo.message).toContain("processors.0.providers: 'tensort' is unknown");
    expect(typo.hint).toContain('Did you mean tensorrt?');
    const toolchain = thrownBy(() => loadTarget(profile({ processors: [{ ...cpu, toolchain: 'abacus' }] })));
    expect(toolchain.location.key).toBe('processors.0.toolchain');
    const engine = { name: 'onnxruntime', executionProvider: 'magic' };
    expect(thrownBy(() => loadTarget(profile({ engine }))).location.key).toBe('engine.executionProvider');
    const own = loadTarget(profile({ name: 'my-board', processors: [{ ...cpu, providers: ['cpu', 'openvino'] }] }));
    expect(own.processors[0]!.providers).toEqual(['cpu', 'openvino']);
  });

  it('refuses a missing file, a file that is no JSON and one that is too large', () => {
    expect(thrownBy(() => loadTarget(join(folder, 'none.json'))).code).toBe('file-not-found');
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, '{ "name": \u202e');
    const error = thrownBy(() => loadTarget(broken));
    expect(error.code).toBe('target');
    expect(error.message).not.toContain('\u202e');
    const large = join(folder, 'large.json');
    writeFileSync(large, ' '.repeat(2 << 20));
    expect(thrownBy(() => loadTarget(large)).message).toContain('too large');
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'edgepack-benchmarks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Row = Record<string, unknown>;
interface Bar {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly holds: boolean;
}
interface Modules {
  barsFor(row: Row, peer?: Row): Bar[];
  epkBars(row: Row): Bar[];
  storeRows(path: string, rows: readonly Row[]): void;
  table(header: readonly string[], rows: readonly (readonly (string | null)[])[]): string;
}

async function load<Name extends keyof Modules>(file: string, name: Name): Promise<Modules[Name]> {
  const path = join(root, 'benchmarks', file);
  return ((await import(/* @vite-ignore */ path)) as Modules)[name];
}

describe('bars', () => {
  const row = { model: 'resnet8_cifar10', recipe: 'accurate', target: 'rpi4', evaluationSamples: 800 };
  const lost = (bars: readonly Bar[]) => bars.find(({ what }) => what.startsWith('accuracy lost'));

  it('hold .epk files to xz, and coders of a megabyte and more to their speed', async () => {
    const epkBars = await load('bars.mjs', 'epkBars');
    const file = { model: 'mnist_cntk', kind: 'int8', epkBytes: 91, xzBytes: 100 };
    const slow = { weightBytes: 2e6, encode: 39, decode: 100 };
    expect(epkBars({ ...file, speed: slow }).map(({ holds }) => holds)).toEqual([false, false, true]);
    expect(epkBars({ ...file, speed: { ...slow, weightBytes: 1000 } })).toHaveLength(1);
    expect(epkBars({ ...file, kind: 'float', speed: null })[0]).toMatchObject({ limit: 1, holds: true });
    expect(epkBars({ ...file, xzBytes: null, speed: null })).toEqual([]);
  });

  it('allow a loss of the bar and two standard errors, no more', async () => {
    const barsFor = await load('bars.mjs', 'barsFor');
    const inside = lost(barsFor({ ...row, paired: { b: 15, c: 1 } }));
    expect(inside?.limit).toBeCloseTo(0.005 + 8 / 800, 12);
    expect(inside?.value).toBeCloseTo(14 / 800, 12);
    expect(inside?.holds).toBe(false);
    expect(lost(barsFor({ ...row, paired: { b: 12, c: 4 } }))?.holds).toBe(true);
  });

  it('are wider where weights are rounded against saturation', async () => {
    const barsFor = await load('bars.mjs', 'barsFor');
    const bar = lost(barsFor({ ...row, target: 'generic-x64', paired: { b: 0, c: 0 } }));
    expect(bar?.limit).toBeCloseTo(0.008, 12);
  });

  it('say nothing about what was not measured', async () => {
    const barsFor = await load('bars.mjs', 'barsFor');
    expect(barsFor({ ...row, epkBytes: 70_000, onnxXzBytes: null, paired: null })).toEqual([]);
  });

  it('compare with the peer where it ran', async () => {
    const barsFor = await load('bars.mjs', 'barsFor');
    const measured = { ...row, sameScript: { exact: { agree: 0.97, sqnr_db: 23 } }, latency: { ratioToPeer: 1.1 } };
    const bars = barsFor(measured, { exact: { agree: 0.975, sqnr_db: 22.8 } });
    expect(bars.map(({ what, holds }) => [what, holds])).toEqual([
      ["agreement, peer's exact", false],
      ["SQNR dB, peer's exact", true],
      ["latency / peer's int8", false],
    ]);
  });
});

describe('stored results', () => {
  it('keep one row per version, CPU and measurement', async () => {
    const storeRows = await load('results.mjs', 'storeRows');
    const path = join(folder, 'results.jsonl');
    const row = { version: '1.0.0', cpu: 'A', model: 'm', recipe: 'accurate', seconds: 3 };
    storeRows(path, [row, { ...row, cpu: 'B' }]);
    storeRows(path, [
      { ...row, seconds: 2 },
      { ...row, version: '1.1.0' },
    ]);
    const stored = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(stored.map((line) => JSON.parse(line) as unknown)).toEqual([
      { ...row, seconds: 2 },
      { ...row, cpu: 'B' },
      { ...row, version: '1.1.0' },
    ]);
  });
});

describe('tables', () => {
  it('align numbers to the right and mark what is missing', async () => {
    const table = await load('table.mjs', 'table');
    expect(
      table(
        ['model', 'bytes'],
        [
          ['a', '1,000'],
          ['b', null],
        ],
      ),
    ).toBe(['| model | bytes |', '| ----- | ----: |', '| a     | 1,000 |', '| b     |     – |'].join('\n'));
  });
});

import { execFileSync } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onnx } from 'onnx-proto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasZoo, zooModelPaths } from './conformance-archive.ts';

const loader = new URL('../../../scripts/typescript-loader.mjs', import.meta.url).href;
const script = fileURLToPath(new URL('./copy-model.ts', import.meta.url));
const MiB = 2 ** 20;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-memory-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Peak memory, in bytes, of a process that reads and writes a model. */
function peakOfCopy(source: string, target: string, ...rest: string[]): number {
  return Number(
    execFileSync(process.execPath, ['--import', loader, script, source, target, ...rest], { encoding: 'utf8' }),
  );
}

/** Peak memory of the same process with a model of nothing. */
function peakOfProcess(): number {
  const path = join(folder, 'empty.onnx');
  writeFileSync(
    path,
    onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }], graph: { name: 'g' } }).finish(),
  );
  return peakOfCopy(path, join(folder, 'empty-copy.onnx'));
}

describe.skipIf(!hasZoo)('minilm', () => {
  test('is read and written in at most 1.3 times its size', () => {
    const source = zooModelPaths().find((path) => path.includes('minilm'))!;
    const target = join(folder, 'copy.onnx');
    const extraBytes = peakOfCopy(source, target) - peakOfProcess();
    console.log(`minilm: ${(extraBytes / statSync(source).size).toFixed(3)} x the file`);
    expect(readFileSync(target).equals(readFileSync(source))).toBe(true);
    expect(extraBytes).toBeLessThanOrEqual(1.3 * statSync(source).size);
  });
});

describe('external data', () => {
  /** A model of `count` tensors of `tensorBytes` in one file that is mostly holes. */
  function sparseModel(count: number, tensorBytes: number): string {
    const path = join(folder, 'model.onnx');
    const initializer = Array.from({ length: count }, (_, i) => ({
      name: `w${i}`,
      dataType: 2,
      dims: [tensorBytes],
      dataLocation: 1,
      externalData: [
        { key: 'location', value: 'model.bin' },
        { key: 'offset', value: String(i * tensorBytes) },
        { key: 'length', value: String(tensorBytes) },
      ],
    }));
    writeFileSync(
      path,
      onnx.ModelProto.encode({
        irVersion: 8,
        opsetImport: [{ domain: '', version: 17 }],
        graph: { name: 'g', initializer },
      }).finish(),
    );
    writeFileSync(join(folder, 'model.bin'), '');
    truncateSync(join(folder, 'model.bin'), count * tensorBytes);
    return path;
  }

  test('of 300 MiB goes into one file with a few MiB of memory', () => {
    const target = join(folder, 'copy.onnx');
    const extraBytes = peakOfCopy(sparseModel(3, 100 * MiB), target) - peakOfProcess();
    expect(statSync(target).size).toBeGreaterThan(300 * MiB);
    expect(extraBytes).toBeLessThan(64 * MiB);
  });

  test.skipIf(statfsSync(tmpdir()).bavail * statfsSync(tmpdir()).bsize < 8 * 2 ** 30)(
    'of 2.5 GiB goes into a new data file with a few MiB of memory',
    () => {
      const source = sparseModel(5, 512 * MiB);
      const target = join(folder, 'copy.onnx');
      const extraBytes = peakOfCopy(source, target) - peakOfProcess();
      const data = readdirSync(folder).find((name) => /^copy-[0-9a-f]{12}\.data$/.test(name))!;
      expect(statSync(join(folder, data)).size).toBe(5 * 512 * MiB);
      expect(statSync(target).size).toBeLessThan(2000);
      expect(extraBytes).toBeLessThan(64 * MiB);
    },
  );
});

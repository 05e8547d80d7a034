import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { haswell } from '../reference/emulated-hosts.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const preload = (path: string) => ['--import', pathToFileURL(join(project, path)).href];

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'same-bytes-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** SHA-256 of the .onnx and the .epk of a run of its own, which finds no kept statistics. */
function bytesOf(stem: string, threads: number, processor?: string): string[] {
  const output = mkdtempSync(join(root, 'run-'));
  const fixtures = join(project, 'fixtures');
  execFileSync(
    process.execPath,
    [
      ...preload('scripts/typescript-loader.mjs'),
      ...preload('test/reference/as-other-processor.mjs'),
      '--eval',
      `const { compress } = await import(${JSON.stringify(pathToFileURL(join(project, 'src', 'index.ts')).href)});
       await compress(${JSON.stringify(join(fixtures, `${stem}.onnx`))}, ${JSON.stringify({
         target: 'rpi4',
         recipe: 'accurate',
         calibration: join(fixtures, 'digits.npz'),
         output: join(output, 'out'),
         cacheFolder: join(output, 'cache'),
         threads,
       })});`,
      '--input-type=module',
    ],
    {
      stdio: 'pipe',
      env: {
        ...process.env,
        ...(processor === undefined ? {} : { EDGEPACK_EMULATED_CPU: processor }),
        EDGEPACK_EMULATED_NODE: join(output, 'node'),
      },
    },
  );
  return [`${stem}.onnx`, `${stem}.epk`].map((name) =>
    createHash('sha256')
      .update(readFileSync(join(output, 'out', name)))
      .digest('hex'),
  );
}

describe.each(['digits-dense', 'digits-conv'])('%s', (stem) => {
  let expected: string[];
  beforeAll(() => {
    expected = bytesOf(stem, 1);
  });

  test.each([2, 4])('is the same bytes with %i threads', (threads) => {
    expect(bytesOf(stem, threads)).toEqual(expected);
  });

  // AVX2 without VNNI, and SSE only.
  test.skipIf(!haswell.canRun).each(['Haswell-noTSX', 'Nehalem'])('is the same bytes on %s', (processor) => {
    expect(bytesOf(stem, 1, processor)).toEqual(expected);
  });
});

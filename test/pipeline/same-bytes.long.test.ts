import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtProgram } from '../built-program.ts';
import { haswell } from '../reference/emulated-hosts.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const fixtures = join(project, 'fixtures');
const preload = new URL('../reference/as-other-processor.mjs', import.meta.url).href;

let root: string;
let program: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'same-bytes-'));
  program = builtProgram(join(root, 'program'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** SHA-256 of the .onnx and the .epk of a run of its own, which finds no kept statistics. */
function bytesOf(stem: string, threads: number, processor?: string): string[] {
  const output = mkdtempSync(join(root, 'run-'));
  const options = ['-t', 'rpi4', '-r', 'accurate', '--allow-slower', '--calibration', join(fixtures, 'digits.npz')];
  const places = ['-o', join(output, 'out'), '--cache-folder', join(output, 'cache'), '--threads', String(threads)];
  execFileSync(
    process.execPath,
    ['--import', preload, program, 'compress', join(fixtures, `${stem}.onnx`), '-q', ...options, ...places],
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

// Emulated processors take a minute for each run: the two models see another one each, the convolutions the older one.
describe.each([
  ['digits-dense', 'Haswell-noTSX'],
  ['digits-conv', 'Nehalem'],
])('%s', (stem, processor) => {
  let expected: string[];
  beforeAll(() => {
    expected = bytesOf(stem, 1);
  });

  test('is the same bytes with 4 threads', () => {
    expect(bytesOf(stem, 4)).toEqual(expected);
  });

  // AVX2 without VNNI, and SSE only.
  test.skipIf(!haswell.canRun)(`is the same bytes on ${processor}`, () => {
    expect(bytesOf(stem, 1, processor)).toEqual(expected);
  });
});

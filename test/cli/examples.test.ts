import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CliApi } from '../../src/cli/cli-api.ts';
import * as api from '../../src/index.ts';
import { runCli } from './fake-api.ts';

const fixtures = resolve(import.meta.dirname, '..', '..', 'fixtures');
const cwd = mkdtempSync(join(tmpdir(), 'edgepack-examples-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

/** The examples of a command's help, with the fixtures in place of the files they speak of. */
async function examplesOf(command: string): Promise<string[][]> {
  const { stdout } = await runCli([command, '--help']);
  const lines = stdout.split('\n').filter((line) => line.startsWith('  edgepack '));
  const model = command === 'unpack' ? 'model.epk' : join(fixtures, 'digits-conv.onnx');
  return lines.map((line) =>
    line
      .trim()
      .replace(/ > .*$/, '')
      .replaceAll('"', '')
      .split(/\s+/)
      .slice(1)
      .map((word, index) => (index === 1 && /^model\./.test(word) ? model : word))
      .map((word) => (/^(photos\/|\w+\.npz)$/.test(word) ? join(fixtures, 'digits.npz') : word)),
  );
}

describe('the examples of the help, with the real API on the fixtures', () => {
  // In this order: "unpack" reads what "pack" writes. What runs the engine is not cheap and is left to the long tests.
  it.each(['compress', 'inspect', 'pack', 'unpack', 'targets', 'completion'])('%s', async (command) => {
    const examples = await examplesOf(command);
    expect(examples.length).toBeGreaterThan(0);
    for (const words of examples) {
      const dry = command === 'compress' && !words.includes('--dry-run') ? ['--dry-run'] : [];
      const { exitCode, stdout, stderr } = await runCli([...words, ...dry], { cwd, api: api as CliApi });
      expect(exitCode, `${words.join(' ')}: ${stderr}`).toBe(0);
      expect(stdout.length).toBeGreaterThan(20);
    }
    if (command === 'unpack') expect(readdirSync(cwd).sort()).toEqual(['model.epk', 'model.onnx']);
  });
});

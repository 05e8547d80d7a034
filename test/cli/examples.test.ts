import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CliApi } from '../../src/cli/cli-api.ts';
import * as api from '../../src/index.ts';
import { runCli } from './fake-api.ts';

const fixtures = resolve(import.meta.dirname, '..', '..', 'fixtures');

/** The examples of a command's help, with the fixture in place of the samples they speak of. */
async function examplesOf(command: string): Promise<string[][]> {
  const { stdout } = await runCli([command, '--help']);
  const lines = stdout.split('\n').filter((line) => line.startsWith('  edgepack '));
  return lines.map((line) =>
    line
      .trim()
      .replace(/ > .*$/, '')
      .replaceAll('"', '')
      .split(/\s+/)
      .slice(1)
      .map((word) => (/^(photos\/|\w+\.npz)$/.test(word) ? join(fixtures, 'digits.npz') : word)),
  );
}

describe('the examples of the help, with the real API on the fixtures', () => {
  // What runs the engine is not cheap and is left to the long tests; "compress" is a dry run.
  it.each([
    { command: 'compress', has: ['model.onnx'] },
    { command: 'inspect', has: ['model.onnx'] },
    { command: 'pack', has: ['model.onnx'] },
    { command: 'unpack', has: ['model.epk'] },
    { command: 'targets', has: [] },
    { command: 'doctor', has: [] },
    { command: 'completion', has: [] },
  ])('$command', async ({ command, has }) => {
    const cwd = mkdtempSync(join(tmpdir(), 'edgepack-examples-'));
    const model = join(fixtures, 'digits-conv.onnx');
    if (has.includes('model.onnx')) cpSync(model, join(cwd, 'model.onnx'));
    if (has.includes('model.epk')) await api.pack(model, join(cwd, 'model.epk'));
    const examples = await examplesOf(command);
    expect(examples.length).toBeGreaterThan(0);
    for (const words of examples) {
      const dry = command === 'compress' && !words.includes('--dry-run') ? ['--dry-run'] : [];
      const { exitCode, stdout, stderr } = await runCli([...words, ...dry], { cwd, api: api as CliApi });
      expect(exitCode, `${words.join(' ')}: ${stderr}`).toBe(0);
      expect(stdout.length).toBeGreaterThan(20);
    }
    rmSync(cwd, { recursive: true, force: true });
  });
});

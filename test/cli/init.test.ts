import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { budgetsSchema } from '../../src/budget/budget-schema.ts';
import { proposeBudgets } from '../../src/budget/propose-budgets.ts';
import { configSchema } from '../../src/pipeline/compress-options.ts';
import { exampleReport } from '../report/example-report.ts';
import { runCli } from './fake-api.ts';

function folder(...files: readonly string[]): string {
  const cwd = mkdtempSync(join(tmpdir(), 'edgepack-init-'));
  for (const file of files) writeFileSync(join(cwd, file), '');
  return cwd;
}
const written = (cwd: string, name = 'edgepack.config.json') => JSON.parse(readFileSync(join(cwd, name), 'utf8'));

describe('edgepack init', () => {
  it('writes a configuration from flags that every command accepts', async () => {
    const cwd = folder('model.onnx', 'other.onnx');
    mkdirSync(join(cwd, 'photos'));
    const args = ['init', '--yes', '--model', 'model.onnx', '-t', 'rpi4', '-d', 'photos'];
    const { exitCode, stdout, stderr } = await runCli(args, { cwd });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^wrote edgepack\.config\.json\n\nNext:\n {2}edgepack compress\n/);
    expect(written(cwd)).toMatchObject({ model: 'model.onnx', target: 'rpi4', data: 'photos' });
    expect(configSchema.safeParse(written(cwd)).success).toBe(true);
    const { calls } = await runCli(['compress'], { cwd });
    expect(calls[0]!.args[0]).toBe(join(cwd, 'model.onnx'));
    expect(calls[0]!.args[1]).not.toHaveProperty('budgets');
    expect((await runCli(['check'], { cwd })).exitCode).toBe(0);
  });

  it('without a terminal takes the only model and the defaults, and says what is missing', async () => {
    const cwd = folder('net.onnx');
    const { stdout } = await runCli(['init'], { cwd });
    expect(written(cwd)).toMatchObject({ model: 'net.onnx', target: 'generic-arm64' });
    expect(written(cwd)).not.toHaveProperty('data');
    expect(stdout).toContain('Without samples nothing is calibrated');
  });

  it('takes limits from a report, and keeps what else the configuration says', async () => {
    const cwd = folder('model.onnx', 'd.npz');
    mkdirSync(join(cwd, 'small'));
    writeFileSync(join(cwd, 'small', 'report.json'), JSON.stringify(exampleReport()));
    const earlier = { model: 'model.onnx', target: 'rpi4', data: 'd.npz', sparsity: 0.5, output: 'small', budgets: {} };
    writeFileSync(join(cwd, 'edgepack.config.json'), JSON.stringify(earlier));
    const refused = await runCli(['init'], { cwd });
    expect([refused.exitCode, refused.stderr.split('\n')[0]]).toEqual([2, expect.stringContaining('is already there')]);
    expect(written(cwd)).toEqual(earlier);
    const { exitCode, stdout } = await runCli(['init', '--force'], { cwd });
    expect(exitCode).toBe(0);
    const { budgets, ...rest } = written(cwd);
    expect({ ...rest, budgets: {} }).toEqual(earlier);
    expect(budgets.size.epk).toEqual({ max: 85_100, maxIncrease: '0.5%' });
    expect(stdout).toContain('edgepack check --baseline');
  });

  it('names files relative to the configuration', async () => {
    const cwd = folder('model.onnx');
    mkdirSync(join(cwd, 'ci'));
    await runCli(['init', '--config', 'ci/gate.json'], { cwd });
    expect(written(cwd, 'ci/gate.json').model).toBe('../model.onnx');
    const { calls } = await runCli(['compress', '--config', 'ci/gate.json'], { cwd });
    expect(calls[0]!.args[0]).toBe(join(cwd, 'model.onnx'));
  });

  it('asks on a terminal, and again after a wrong answer', async () => {
    const cwd = folder('a.onnx', 'b.onnx');
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    stdin.end('nowhere.onnx\nb.onnx\nrpi44\nrpi4\n\n');
    const { exitCode, stdout } = await runCli(['init'], { cwd, isTTY: true, stdin });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('  no such file\nModel (.onnx): Device (');
    expect(stdout).toContain('no such device; did you mean rpi4?');
    expect(written(cwd)).toMatchObject({ model: 'b.onnx', target: 'rpi4' });
  });

  it('says when the answers end too early', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    stdin.end('');
    const { exitCode, stderr } = await runCli(['init'], { cwd: folder('a.onnx'), isTTY: true, stdin });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('the input ended before every question')]);
  });

  it.each([
    [['init'], /--model: a model is needed/],
    [['init', '--model', 'nowhere.onnx'], /--model nowhere\.onnx: no such file/],
    [['init', '--model', 'a.onnx', '-t', 'rpi44'], /--target rpi44: no such device; did you mean rpi4\?/],
    [['init', '--model', 'a.onnx', '-d', 'nowhere'], /--data nowhere: no such file or folder/],
    [['init', '--model', 'a.onnx', '--report', 'nowhere.json'], /nowhere\.json: no such file/],
  ])('%j is one line and a hint', async (args, message) => {
    const { exitCode, stderr } = await runCli(args, { cwd: folder('a.onnx', 'b.onnx') });
    expect(exitCode).toBe(2);
    expect(stderr.split('\n')[0]).toMatch(message);
  });
});

describe('proposeBudgets', () => {
  it('proposes limits that today meets, as fine as the samples allow', () => {
    const report = exampleReport();
    const budgets = proposeBudgets(report, { parameters: 5 });
    expect(budgetsSchema.safeParse(budgets).success).toBe(true);
    expect(budgets).toMatchObject({
      size: { file: { max: 111_000 }, epk: { max: 85_100 } },
      accuracy: { top1: { maxDrop: 1.4 }, drop: 1.4 },
      latency: { host: { maxIncrease: '5%' } },
    });
    const unlabelled = { ...report.accuracy!, paired: null, exact: { ...report.accuracy!.exact!, top1: null } };
    expect(proposeBudgets({ ...report, accuracy: unlabelled }, { parameters: 5 }).accuracy).toEqual({
      agreement: { maxDrop: 1.4 },
    });
    expect(proposeBudgets({ ...report, accuracy: null }, { parameters: 5 })).not.toHaveProperty('accuracy');
    const predicted = { latencyMs: 4, lowMs: 3, highMs: 5.01, source: 'x' };
    const latency = { ...report.latency, predicted: { compressed: predicted } };
    expect(proposeBudgets({ ...report, latency }, { parameters: 5 }).latency?.predicted).toEqual({ max: 5.52 });
    expect(proposeBudgets(undefined, { parameters: 5 }).size?.parameters).toBe(5);
  });
});

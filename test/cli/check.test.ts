import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkSchema } from '../../src/budget/check-schema.ts';
import type { CheckOptions } from '../../src/pipeline/check-options.ts';
import { exampleCheck, exampleItem, overBudget } from './example-check.ts';
import { runCli } from './fake-api.ts';

const budgets = { size: { file: { max: '110 kB' } } };
function folder(config: object | null = { budgets }): string {
  const cwd = mkdtempSync(join(tmpdir(), 'edgepack-check-cli-'));
  if (config !== null) writeFileSync(join(cwd, 'edgepack.config.json'), JSON.stringify(config));
  return cwd;
}
const answering = (change: Parameters<typeof exampleCheck>[0]) => ({ check: async () => exampleCheck(change) });

describe('edgepack check', () => {
  it('judges the output folder by the configuration, whose text goes along', async () => {
    const config = { budgets, output: 'small', target: 'rpi5', data: 'photos', sparsity: 0.5, seed: 3 };
    const cwd = folder(config);
    const { calls, exitCode } = await runCli(['check', '-b', 'main/report.json', '--max-seconds', '9'], { cwd });
    expect(exitCode).toBe(0);
    const [subject, options, context] = calls[0]!.args as [string, CheckOptions, { commandLine: string }];
    expect(subject).toBe(join(cwd, 'small'));
    expect(options).toEqual({
      target: 'rpi5',
      data: join(cwd, 'photos'),
      seed: 3,
      baseline: join(cwd, 'main/report.json'),
      maxSeconds: 9,
      budgets,
      config: { file: 'edgepack.config.json', text: JSON.stringify(config) },
    });
    expect(context.commandLine).toBe('edgepack check -b main/report.json --max-seconds 9');
  });

  it.each([
    ['passed', 0],
    ['failed', 1],
    ['refused', 2],
  ] as const)('%s ends with exit code %d', async (status, code) => {
    const { exitCode } = await runCli(['check'], { cwd: folder(), api: answering({ status }) });
    expect(exitCode).toBe(code);
  });

  it('prints what is wrong first, with layers and the line of the limit', async () => {
    const items = [exampleItem(), overBudget, exampleItem({ metric: 'latency.host', outcome: 'undecided' })];
    const { stdout } = await runCli(['check'], { cwd: folder(), api: answering({ status: 'failed', items }) });
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('digits for rpi4, against main/report.json: over budget');
    expect(lines[2]).toMatch(/^ {2}failed {5}size\.epk {12}\.epk file 82,000 bytes is more than the limit of 81,000/);
    expect(stdout).toContain('w<1>&"\'|%0A::@x: +2.00 kB (new)');
    expect(stdout).toContain('limit set in edgepack.config.json:7');
    expect(stdout.indexOf('undecided  latency.host')).toBeGreaterThan(stdout.indexOf('failed'));
    expect(stdout.indexOf('ok         size.file')).toBeGreaterThan(stdout.indexOf('undecided'));
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(100);
  });

  it('prints JSON that its schema accepts, and nothing with --quiet', async () => {
    const { stdout, stderr } = await runCli(['check', '--json'], { cwd: folder() });
    expect(stderr).toBe('');
    expect(checkSchema.parse(JSON.parse(stdout))).toEqual(exampleCheck());
    expect(await runCli(['check', '--quiet'], { cwd: folder() })).toMatchObject({ stdout: '', stderr: '' });
  });

  it('writes every file that is asked for', async () => {
    const cwd = folder();
    const files = { junit: 'a/check.xml', markdown: 'check.md', history: 'b/h.jsonl', trend: 't.svg', badge: 's.svg' };
    const flags = Object.entries(files).flatMap(([name, file]) => [`--${name}`, file]);
    const { exitCode, stderr } = await runCli(['check', ...flags, '--commit', 'abc'], { cwd });
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const file of Object.values(files)) expect(existsSync(join(cwd, file)), file).toBe(true);
    expect(JSON.parse(readFileSync(join(cwd, files.history), 'utf8'))).toMatchObject({
      commit: 'abc',
      model: 'digits',
      figures: { 'size.file': 105_000 },
    });
    expect(readFileSync(join(cwd, files.badge), 'utf8')).toContain('.epk: 82.0 kB');
  });

  it('annotates and sums up inside GitHub Actions, apart from its JSON', async () => {
    const cwd = folder();
    const summary = join(cwd, 'summary.md');
    writeFileSync(summary, 'before\n');
    const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: join(cwd, '..'), GITHUB_STEP_SUMMARY: summary };
    const api = answering({ status: 'failed', items: [overBudget] });
    const { stdout, stderr } = await runCli(['check', '--json'], { cwd, env, api });
    expect(JSON.parse(stdout).status).toBe('failed');
    expect(stderr).toMatch(/^::error file=edgepack-check-cli-\w+\/edgepack\.config\.json,line=7,title=/);
    expect(readFileSync(summary, 'utf8')).toMatch(/^before\n<!-- edgepack check -->/);
  });

  it.each([
    [null, ['check'], /there are no budgets: no edgepack\.config\.json here/],
    [{ target: 'rpi4' }, ['check'], /there are no budgets in edgepack\.config\.json/],
    [{ budgets: { size: { flie: 1 } } }, ['check'], /budgets\.size: unknown key 'flie'/],
    [{ budgets: { sizes: {} } }, ['check'], /budgets: unknown key 'sizes'/],
    [{ budgets: { size: { file: 'big' } } }, ['check'], /budgets\.size\.file/],
    [
      { budgets: { size: { file: { maxIncrease: '-1%' } } } },
      ['check'],
      /edgepack\.config\.json:1: budgets\.size\.file\.maxIncrease: must be text such as "1%", or bytes, or text/,
    ],
    [{ budgets }, ['check', '--trend', 't.svg'], /--trend needs --history/],
    [{ budgets }, ['check', '--commit', 'a'], /--commit needs --history/],
    [{ budgets }, ['check', '--max-seconds', '0'], /--max-seconds 0: must be at least 1/],
    [{ budgets }, ['check', '--history', 'h.jsonl'], /which commit this is cannot be told/],
  ])('%j with %j is one line and a hint, exit code 2', async (config, args, message) => {
    const cwd = folder(config);
    const { exitCode, stdout, stderr } = await runCli(args, { cwd });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')[0]).toMatch(message);
  });
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { benchSchema } from '../../src/report/bench-schema.ts';
import { exampleBench } from './example-bench.ts';
import { runCli } from './fake-api.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'edgepack-bench-cli-'));
const ratio = (value: number, low: number, high: number) => ({
  api: { bench: async () => exampleBench({ value, interval: { low, high } }) },
});

describe('edgepack bench', () => {
  it('hands models and options on', async () => {
    const cwd = folder();
    const { calls, exitCode } = await runCli(
      ['bench', 'a.onnx', 'b.epk', '-t', 'rpi4', '--threads', '1,2', '--dim', 'n=4', '--dim', 'm=8', '--profile'],
      { cwd },
    );
    expect(exitCode).toBe(0);
    const [files, options, context] = calls[0]!.args as [string[], object, { commandLine: string }];
    expect(files).toEqual([join(cwd, 'a.onnx'), join(cwd, 'b.epk')]);
    expect(options).toEqual({ target: 'rpi4', threads: '1,2', dim: ['n=4', 'm=8'], profile: true });
    expect(context.commandLine).toContain('edgepack bench a.onnx b.epk');
  });

  it('takes target, data and threads of the configuration, but not its data where sizes are asked for', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'edgepack.config.json'), '{"target":"rpi5","data":"photos","threads":2,"seed":4}');
    const [, options] = (await runCli(['bench', 'a.onnx'], { cwd })).calls[0]!.args;
    expect(options).toEqual({ target: 'rpi5', data: join(cwd, 'photos'), threads: [2] });
    const [, sized] = (await runCli(['bench', 'a.onnx', '--dim', 'n=4'], { cwd })).calls[0]!.args;
    expect(sized).toEqual({ target: 'rpi5', threads: [2], dim: ['n=4'] });
  });

  it('prints one table per number of threads, where it was measured first, warnings last', async () => {
    const { stdout } = await runCli(['bench', 'model.onnx', 'small.epk']);
    expect(stdout).toMatch(/^Measured on this host \(Example CPU, 1, 4 threads\), not on the target\n/);
    expect(stdout).toContain('1 thread: 20 rounds in turns, 40 runs, 1.70 s, known precisely enough');
    expect(stdout).toMatch(/model\.onnx +4\.00 ms +3\.92 to 4\.08 ms +4\.40 ms +6\.00 ms +1\n/);
    expect(stdout).toMatch(/small\.epk +2\.40 ms +2\.35 to 2\.45 ms +2\.64 ms +3\.60 ms +0\.600 +0\.580 to 0\.630\n/);
    expect(stdout).toContain('small.epk is 1.67 × faster than model.onnx (1.59 to 1.72)');
    expect(stdout).toMatch(/model\.onnx +408 kB +12\.0 ms +92\.0 MB +30\.0 MB\n/);
    expect(stdout).toContain('75.0 % int8, 25.0 % conversion');
    expect(stdout).toContain('in\\u202equantize');
    expect(stdout.trimEnd().split('\n').at(-1)).toContain('! with 1 thread: other programs');
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
  });

  it('says slower, and says when it cannot tell', async () => {
    const slower = await runCli(['bench', 'a', 'b'], ratio(1.3, 1.2, 1.4));
    expect(slower.stdout).toContain('small.epk is slower: 1.30 × the time of model.onnx (1.20 to 1.40)');
    const same = await runCli(['bench', 'a', 'b'], ratio(0.99, 0.97, 1.02));
    expect(same.stdout).toContain('no difference between small.epk and model.onnx could be told apart from noise');
  });

  it('draws the distributions only on a terminal that shows blocks', async () => {
    const drawn = /▁|█/;
    const terminal = { isTTY: true, env: { LANG: 'C.UTF-8' } };
    expect((await runCli(['bench', 'a', 'b'], terminal)).stdout).toMatch(drawn);
    expect((await runCli(['bench', 'a', 'b'], { isTTY: true, env: { LANG: 'C' } })).stdout).not.toMatch(drawn);
    expect((await runCli(['bench', 'a', 'b'], { env: { LANG: 'C.UTF-8' } })).stdout).not.toMatch(drawn);
  });

  it('prints JSON that its schema accepts', async () => {
    const { stdout, stderr } = await runCli(['bench', 'a', '--json']);
    expect(stderr).toBe('');
    expect(benchSchema.parse(JSON.parse(stdout))).toEqual(exampleBench());
  });

  it('cleans a device without a model', async () => {
    const { exitCode, calls } = await runCli(['bench', '--device', 'ssh://pi@board', '--clean']);
    expect([exitCode, calls.map(({ name }) => name)]).toEqual([0, ['cleanDeviceCache']]);
    expect(calls[0]!.args[0]).toEqual({ device: 'ssh://pi@board' });
  });

  it('hands a device on', async () => {
    const { calls } = await runCli(['bench', 'a', '--device', 'ssh://pi@board', '--ssh-config', 'my.conf', '--clean']);
    expect(calls[0]).toMatchObject({ name: 'bench' });
    expect(calls[0]!.args[1]).toMatchObject({ device: 'ssh://pi@board', clean: true });
    expect((calls[0]!.args[1] as { sshConfig: string }).sshConfig).toMatch(/my\.conf$/);
  });

  it.each([
    [['bench', '--device', 'ssh://pi@board'], /missing required argument 'models'/],
    [['bench'], /missing required argument 'models'/],
    [['bench', 'a', '--threads', '0'], /--threads 0: must be counts such as 4 or 1,2,4/],
    [['bench', 'a', '--threads', '1;2'], /must be counts/],
    [['bench', 'a', '--dim', 'batch'], /--dim batch: must be a name and a size, such as batch=1/],
    [['bench', 'a', '--dim', 'batch=0'], /must be a name and a size/],
    [['bench', 'a', '--rounds', '0'], /--rounds 0: must be at least 1/],
    [['bench', 'a', '--max-seconds', 'soon'], /--max-seconds soon: must be a number/],
  ])('%j is one line and a hint', async (args, message) => {
    const { exitCode, stdout, stderr, calls } = await runCli(args);
    expect([exitCode, stdout, calls.length]).toEqual([2, '', 0]);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(message);
    expect(lines[1]).toMatch(/^hint: /);
  });
});

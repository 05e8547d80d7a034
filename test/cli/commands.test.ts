import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { exampleDiff } from '../report/example-diff.ts';
import { exampleReport } from '../report/example-report.ts';
import { exampleFolder } from './example-folder.ts';
import { exampleInspection, runCli } from './fake-api.ts';

const commands = [
  'compress',
  'inspect',
  'evaluate',
  'bench',
  'check',
  'init',
  'diff',
  'pack',
  'unpack',
  'report',
  'targets',
  'doctor',
  'completion',
];
const measuring = commands.filter((command) => command !== 'completion');
const folder = () => mkdtempSync(join(tmpdir(), 'edgepack-commands-'));

describe('help', () => {
  it('names every command and a first example', async () => {
    const { exitCode, stdout, stderr } = await runCli(['--help']);
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(stdout).toContain('edgepack compress model.onnx --target rpi4 --data photos/');
  });

  it.each(commands)('%s --help has examples', async (command) => {
    const { exitCode, stdout } = await runCli([command, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Examples?:\n {2}edgepack /);
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120);
  });

  it.each(measuring)('%s --help has the common options', async (command) => {
    const { stdout } = await runCli([command, '--help']);
    for (const option of ['--json', '--quiet', '--verbose', '--help']) expect(stdout).toContain(option);
  });

  it('every example of the help is accepted', async () => {
    for (const command of commands) {
      const { stdout } = await runCli([command, '--help']);
      const examples = stdout.split('\n').filter((line) => line.startsWith('  edgepack '));
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) {
        const words = example
          .replace(/ > .*$/, '')
          .trim()
          .split(/\s+/)
          .slice(1);
        const result = await runCli(
          words.map((word) => word.replaceAll('"', '')),
          { cwd: exampleFolder(command) },
        );
        expect(result.exitCode, `${example}: ${result.stderr}`).toBe(0);
      }
    }
  });

  it('is an overview where no command is given, whose commands are accepted', async () => {
    const { exitCode, stdout, stderr } = await runCli([]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^edgepack 1\.2\.3 makes ONNX models smaller/);
    const lines = stdout.split('\n').filter((line) => line.startsWith('  edgepack '));
    expect(lines.map((line) => line.trim().split(' ')[1])).toEqual(['inspect', 'compress', 'evaluate', 'compress']);
    for (const line of lines) {
      const words = line.trim().replaceAll('"', '').split(' ').slice(1);
      expect(await runCli(words), line).toMatchObject({ exitCode: 0 });
    }
    // Its last example works as it stands.
    for (const path of lines.at(-1)!.match(/\S*digits\S*/g)!)
      expect(existsSync(path.replaceAll('"', '')), path).toBe(true);
    expect((await runCli([], { env: { npm_lifecycle_event: 'npx' } })).stdout).toContain('  npx edgepack inspect');
  });

  it('--version prints the version alone', async () => {
    expect(await runCli(['--version'])).toMatchObject({ exitCode: 0, stdout: '1.2.3\n', stderr: '' });
  });
});

describe('compress', () => {
  it('hands its options on with the defaults of the schema', async () => {
    const cwd = folder();
    const { calls, exitCode } = await runCli(
      [
        'compress',
        'm.onnx',
        '-t',
        'rpi4',
        '-d',
        'photos',
        '--sparsity',
        '0.5',
        '--nodes-to-exclude',
        'a*',
        '--nodes-to-exclude',
        'b',
      ],
      { cwd },
    );
    expect(exitCode).toBe(0);
    expect(calls[0]?.name).toBe('compress');
    const [model, options, context] = calls[0]!.args as [string, Record<string, unknown>, { commandLine: string }];
    expect(model).toBe(join(cwd, 'm.onnx'));
    expect(options).toMatchObject({
      target: 'rpi4',
      data: join(cwd, 'photos'),
      sparsity: 0.5,
      nodesToExclude: ['a*', 'b'],
      maxAccuracyDrop: 1,
      seed: 0,
      dryRun: false,
      force: false,
    });
    expect(options).not.toHaveProperty('recipe');
    expect(context.commandLine).toBe(
      'edgepack compress m.onnx -t rpi4 -d photos --sparsity 0.5 --nodes-to-exclude "a*" --nodes-to-exclude b',
    );
  });

  it('prints the summary, or only JSON, or nothing', async () => {
    const summary = await runCli(['compress', 'm.onnx']);
    expect(summary.stdout).toMatch(/^digits for Raspberry Pi 4/);
    const json = await runCli(['compress', 'm.onnx', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ reportVersion: 1, target: { name: 'rpi4' } });
    expect(await runCli(['compress', 'm.onnx', '--quiet'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('exits 1 where the accuracy limit is not met, and says so first', async () => {
    const report = exampleReport();
    const limit = { maxAccuracyDropPoints: 1, dropPoints: 3, met: false };
    const broken = { ...report, accuracy: { ...report.accuracy!, limit } };
    const { exitCode, stdout } = await runCli(['compress', 'm.onnx'], {
      api: { compress: async () => ({ report: broken, plan: null, outputs: [] }) },
    });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^! Accuracy limit not met/);
  });

  it('shows the plan of a dry run', async () => {
    const plan = {
      model: { path: 'm.onnx', sizeBytes: 5000, sha256: 'e'.repeat(64) },
      target: 'rpi4',
      provider: 'cpu',
      recipe: 'weight-only',
      steps: [
        { pass: 'optimize', options: {} },
        { pass: 'prune-magnitude', options: { sparsity: 0.5 } },
      ],
      calibrationSamples: 0,
      evaluationSamples: 0,
      outputs: ['out/m.onnx'],
    };
    const api = { compress: async () => ({ report: null, plan, outputs: [] }) };
    const { stdout } = await runCli(['compress', 'm.onnx', '--dry-run'], { api });
    expect(stdout).toContain('nothing was written');
    expect(stdout).toContain('2. prune-magnitude (sparsity 0.5)');
    expect(JSON.parse((await runCli(['compress', 'm.onnx', '--dry-run', '--json'], { api })).stdout)).toEqual(plan);
  });
});

describe('configuration', () => {
  const config = (content: object, name = 'edgepack.config.json', cwd = folder()) => {
    writeFileSync(join(cwd, name), JSON.stringify(content));
    return cwd;
  };
  const optionsOf = async (args: string[], cwd: string) => {
    const result = await runCli(['compress', ...args], { cwd });
    expect(result.stderr).toBe('');
    return result.calls[0]!.args as [string, Record<string, unknown>];
  };

  it('gives the model and the options; the command line comes first', async () => {
    const cwd = config({ $schema: './x.json', model: 'm.onnx', target: 'rpi5', seed: 7, force: true });
    const [model, options] = await optionsOf(['--seed', '9'], cwd);
    expect(model).toBe(join(cwd, 'm.onnx'));
    expect(options).toMatchObject({ target: 'rpi5', seed: 9, force: true, output: join(cwd, 'out') });
  });

  it('in another folder has paths relative to itself, and leaves the output folder where the user is', async () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'conf'));
    config({ data: 'd.npz', recipe: './r.json', target: 'rpi4' }, 'c.json', join(cwd, 'conf'));
    const [, options] = await optionsOf(['m.onnx', '--config', 'conf/c.json'], cwd);
    expect(options).toMatchObject({
      data: join(cwd, 'conf', 'd.npz'),
      recipe: join(cwd, 'conf', 'r.json'),
      target: 'rpi4',
      output: join(cwd, 'out'),
    });
  });

  it('with an unknown key is an error that names it', async () => {
    const { exitCode, stderr, calls } = await runCli(['compress', 'm.onnx'], { cwd: config({ sparcity: 0.5 }) });
    expect([exitCode, calls.length]).toEqual([2, 0]);
    expect(stderr).toMatch(
      /^error: configuration .*: unknown key 'sparcity' \[config\]\nhint: Did you mean sparsity\?\n$/,
    );
  });

  it('with a wrong value, or missing, is an error', async () => {
    const wrong = await runCli(['compress', 'm.onnx'], { cwd: config({ seed: -1 }) });
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('seed: must be at least 0')]);
    const absent = await runCli(['compress', 'm.onnx', '--config', 'none.json']);
    expect([absent.exitCode, absent.stderr]).toEqual([2, expect.stringContaining('none.json: no such file')]);
  });

  it('gives evaluate its data', async () => {
    const cwd = config({ data: 'd.npz', preprocess: { preset: 'imagenet' }, target: 'rpi4', threads: 2 });
    const { calls } = await runCli(['evaluate', 'm.onnx'], { cwd });
    expect(calls[0]?.args[1]).toEqual({
      data: join(cwd, 'd.npz'),
      preprocess: { preset: 'imagenet' },
      target: 'rpi4',
      threads: 2,
      allowLinks: false,
      exact: true,
    });
  });
});

describe('the other commands', () => {
  it('inspect shows facts, and every layer on request', async () => {
    const { stdout } = await runCli(['inspect', 'm.onnx']);
    expect(stdout).toContain('input    image  float32 [batch, 784]');
    expect(stdout).toContain('Can saturate on x86 without VNNI, in 1 node');
    expect(stdout).toContain('Largest layers (10 of 14; --layers lists all)');
    expect(stdout).not.toContain('/block0/Gemm   Gemm');
    expect((await runCli(['inspect', 'm.onnx', '--layers'])).stdout).toContain('/block0/Gemm ');
  });

  it('evaluate compares', async () => {
    const { stdout, calls } = await runCli(['evaluate', 'm.onnx', '-d', 'd.npz', '--against', 'o.onnx', '--no-exact']);
    expect(calls[0]?.args[1]).toMatchObject({ exact: false, against: expect.stringContaining('o.onnx') });
    expect(stdout).toMatch(/original\.onnx +91\.0 % +89\.0 to 93\.0/);
    expect(stdout).toContain('−1.0 points against original.onnx, standard error 0.60 points (7 samples lost, 2 won)');
  });

  it('unpack lists tensors, or writes one of them', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'edgepack-cli-'));
    const list = await runCli(['unpack', 'm.epk', '--list'], { cwd });
    expect(list.calls.map((call) => [call.name, call.args[0]])).toEqual([['listPackedTensors', join(cwd, 'm.epk')]]);
    expect(list.stdout).toBe('400 bytes  int8  [16, 25]  conv.weight\n');
    expect(JSON.parse((await runCli(['unpack', 'm.epk', '--list', '--json'], { cwd })).stdout)).toHaveLength(1);
    const tensor = await runCli(['unpack', 'm.epk', '--tensor', 'conv.weight', '-o', 'w.npy', '-f'], { cwd });
    expect(tensor.calls[0]?.name).toBe('unpackTensor');
    expect(tensor.calls[0]?.args.slice(0, 4)).toEqual([
      join(cwd, 'm.epk'),
      'conv.weight',
      join(cwd, 'w.npy'),
      { force: true },
    ]);
    expect(tensor.stdout).toContain('conv.weight, int8 [16, 25]');
    expect((await runCli(['unpack', 'm.epk', '--tensor', 'w'], { cwd })).calls[0]?.args[2]).toBe(join(cwd, 'm.npy'));
    expect((await runCli(['unpack', 'm.epk', '--tensor', 'w', '--list'], { cwd })).exitCode).toBe(2);
  });

  it('diff exits 1 only where models differ and it was asked to say so', async () => {
    const api = { diff: async () => exampleDiff() };
    const plain = await runCli(['diff', 'a.onnx', 'b.onnx'], { api });
    expect([plain.exitCode, plain.stderr]).toEqual([0, '']);
    expect(plain.stdout).toContain('Now quantized: 1');
    expect((await runCli(['diff', 'a.onnx', 'b.onnx', '--exit-code', '-q'], { api })).exitCode).toBe(1);
    expect((await runCli(['diff', 'a.onnx', 'b.onnx', '--exit-code', '-q'])).exitCode).toBe(0);
    const { stdout, calls } = await runCli(['diff', 'a.onnx', 'b.onnx', '--json', '--run', '--seed', '7']);
    expect(JSON.parse(stdout).diffVersion).toBe(1);
    expect(calls[0]!.args[2]).toMatchObject({ run: true, seed: 7 });
  });

  it('pack and unpack name their output after their input', async () => {
    const cwd = folder();
    const pack = await runCli(['pack', 'a/m.ONNX'], { cwd });
    expect(pack.calls[0]?.args.slice(0, 3)).toEqual([
      join(cwd, 'a/m.ONNX'),
      join(cwd, 'a/m.epk'),
      { force: false, allowLinks: false },
    ]);
    expect(pack.stdout).toContain('1.00 kB → 400 bytes (2.50 × smaller)');
    const unpack = await runCli(['unpack', 'm.epk', '-f', '-o', 'x.onnx'], { cwd });
    expect(unpack.calls[0]?.args.slice(0, 3)).toEqual([join(cwd, 'm.epk'), join(cwd, 'x.onnx'), { force: true }]);
    expect((await runCli(['unpack', 'strange'], { cwd })).calls[0]?.args[1]).toBe(join(cwd, 'strange.onnx'));
  });

  it('doctor says what is missing and what to do, and exits 2', async () => {
    expect(await runCli(['doctor'])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('All is well.') });
    const engine = { name: 'engine', ok: false, detail: 'it cannot be loaded', hint: 'Install it' } as const;
    const api = { diagnose: async () => ({ ok: false, version: '1', platform: 'linux x64', checks: [engine] }) };
    const { exitCode, stdout } = await runCli(['doctor'], { api });
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/engine +problem +it cannot be loaded; Install it\n/);
    expect(JSON.parse((await runCli(['doctor', '--json'], { api })).stdout)).toMatchObject({
      ok: false,
      checks: [engine],
    });
  });

  it('targets shows processors and providers, with what cannot be produced', async () => {
    const { stdout } = await runCli(['targets', 'rk3588']);
    expect(stdout).toMatch(/npu {2}Rockchip NPU {2,}not produced: \.rknn files, by RKNN-Toolkit2/);
    const orin = await runCli(['targets', 'jetson-orin-nano', '--providers']);
    expect(orin.stdout).toContain('int8 with symmetric int8 activations');
    expect(orin.stdout).toContain('int8 per channel; biases float32');
    const all = JSON.parse((await runCli(['targets', '--providers', '--json'])).stdout);
    expect(all.providers.map(({ name }: { name: string }) => name)).toContain('qnn');
    expect(all.toolchains.map(({ name }: { name: string }) => name)).toContain('vitis-ai');
  });

  it('passes the provider on to compress, inspect and predict', async () => {
    for (const command of ['compress', 'inspect', 'predict']) {
      const { calls } = await runCli([command, 'm.onnx', '--target', 'n100', '--provider', 'openvino']);
      expect(calls[0]!.args[1], command).toMatchObject({ target: 'n100', provider: 'openvino' });
    }
  });

  it('inspect shows what a provider runs, a line for every kind of node', async () => {
    const node = {
      name: 'a',
      domain: '',
      opType: 'Conv',
      runsOn: 'provider',
      precision: 'int8',
      reason: null,
    } as const;
    const provider = {
      ...exampleInspection,
      provider: {
        name: 'qnn',
        displayName: 'QNN (HTP)',
        executionProvider: 'QNNExecutionProvider',
        processor: 'HTP',
        needs: 'a Snapdragon',
        int8: true,
        withoutInt8: null,
        notRun: 'not run here',
        unused: [],
        target: 'android-arm64',
        nodes: [
          node,
          node,
          { ...node, opType: 'Loop', runsOn: 'cpu', precision: 'float', reason: 'not listed' } as const,
        ],
      },
    };
    const { stdout } = await runCli(['inspect', 'm.onnx', '-t', 'android-arm64', '--provider', 'qnn'], {
      api: { inspect: async () => provider },
    });
    expect(stdout).toMatch(/Conv +2 {2}qnn {2}int8/);
    expect(stdout).toMatch(/Loop +1 {2}CPU {2}float {2}not listed/);
    expect(stdout).toContain('Needs a Snapdragon.');
  });

  it('targets lists all and shows one with numbered sources', async () => {
    const all = await runCli(['targets']);
    expect(all.stdout.split('\n').filter((line) => /^ {2}\S/.test(line))).toHaveLength(14);
    const one = await runCli(['targets', 'n100']);
    expect(one.stdout).toMatch(/vector units +avx2, avx-vnni +\[2\] +unchecked/);
    expect(one.stdout).toContain('  [2] llvm/');
    expect(JSON.parse((await runCli(['targets', 'rpi4', '--json'])).stdout)).toMatchObject({ name: 'rpi4' });
    expect((await runCli(['targets', 'rpi'])).stderr).toContain('hint: Did you mean rpi-zero2w, rpi3b+, rpi4, rpi5?');
  });
});

describe('mistakes', () => {
  it.each([
    [['compres', 'm.onnx'], /unknown command 'compres'/, /Did you mean compress\?/],
    [['compress'], /no model is given/, /edgepack compress model\.onnx/],
    [['compress', 'm.onnx', '--sparsty', '0.5'], /unknown option '--sparsty'/, /Did you mean --sparsity\?/],
    [['compress', 'm.onnx', '--sparsity', '1.5'], /--sparsity 1\.5: must be at most 0\.99/, /Share of the weights/],
    [['compress', 'm.onnx', '--sparsity', 'half'], /--sparsity half: must be a number/, /Share/],
    [['compress', 'm.onnx', '--threads', '1.5'], /--threads 1\.5: must be a whole number/, /Threads/],
    [
      ['compress', 'm.onnx', '--calibration-method', 'max'],
      /must be one of min-max, percentile, entropy, mse/,
      /ranges/,
    ],
    [['compress', 'm.onnx', '--target'], /argument missing/, /edgepack help/],
    [['compress', 'm.onnx', '-q', '--verbose'], /cannot be used with/, /edgepack help/],
    [['inspect'], /missing required argument 'model'/, /edgepack help/],
    [['inspect', 'a', 'b'], /too many arguments/, /edgepack help/],
    [['evaluate', 'm.onnx'], /no data is given/, /--data/],
    [['targets', 'toaster'], /target 'toaster' is unknown/, /Known targets: android-arm64/],
  ])('%j is one line and a hint', async (args, message, hint) => {
    const { exitCode, stdout, stderr, calls } = await runCli(args);
    expect([exitCode, stdout, calls.length]).toEqual([2, '', 0]);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^error: /);
    expect(lines[0]).toMatch(message);
    expect(lines[1]).toMatch(/^hint: /);
    expect(lines[1]).toMatch(hint);
  });

  it('of a model exit 3, of the tool 70 with a stack', async () => {
    const failing = (error: Error) => ({ api: { inspect: () => Promise.reject(error) } });
    const model = await runCli(['inspect', 'm.onnx'], failing(new EdgepackError('model-unsafe', 'm.onnx: bad\npath')));
    expect([model.exitCode, model.stderr]).toEqual([3, 'error: m.onnx: bad path [model-unsafe]\n']);
    const placed = await runCli(
      ['inspect', 'm.onnx'],
      failing(
        new EdgepackError('model-invalid', 'holds 3 bytes where 4 are needed', {
          location: { file: 'm.onnx', tensor: 'w\u202e' },
          hint: 'export it again',
        }),
      ),
    );
    expect(placed.stderr).toBe(
      "error: m.onnx: tensor 'w\\u202e': holds 3 bytes where 4 are needed [model-invalid]\nhint: Export it again\n",
    );
    const bug = await runCli(
      ['inspect', 'm.onnx'],
      failing(new TypeError('x is undefined', { cause: new Error('deep') })),
    );
    expect(bug.exitCode).toBe(70);
    expect(bug.stderr).toMatch(/^internal error: x is undefined\nTypeError: x is undefined\n +at /);
    expect(bug.stderr).toContain('caused by Error: deep');
    const pass = await runCli(['inspect', 'm.onnx'], failing(new EdgepackError('pass-failed', 'optimize failed')));
    expect([pass.exitCode, pass.stderr]).toEqual([70, expect.stringContaining('at ')]);
  });

  it('keep the output stream empty with --json', async () => {
    const { stdout, exitCode } = await runCli(['targets', 'toaster', '--json']);
    expect([stdout, exitCode]).toEqual(['', 2]);
  });
});

describe('a terminal', () => {
  it('gets colours, unless NO_COLOR is set; a file gets none', async () => {
    const sequence = '\u001b[';
    expect((await runCli(['targets'], { isTTY: true })).stdout).toContain(sequence);
    expect((await runCli(['targets'], { isTTY: true, env: { NO_COLOR: '1' } })).stdout).not.toContain(sequence);
    expect((await runCli(['targets'])).stdout).not.toContain(sequence);
    expect((await runCli(['targets', 'x'], { isTTY: true })).stderr).toContain(sequence);
    expect((await runCli(['targets', 'x'])).stderr).not.toContain(sequence);
  });
});

describe('an interruption', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('by %s aborts the work, waits for it to clean up and exits %d', async (signal, code) => {
    const listeners = new Map<string, () => void>();
    let cleaned = false;
    const result = await runCli(['inspect', 'm.onnx'], {
      onSignal: (name, listener) => listeners.set(name, listener),
      api: {
        inspect: (_, context) =>
          new Promise((_, reject) => {
            context!.signal!.addEventListener('abort', () => {
              setTimeout(() => {
                cleaned = true;
                reject(context!.signal!.reason);
              }, 20);
            });
            setTimeout(() => listeners.get(signal)!(), 5);
          }),
      },
    });
    expect(result).toMatchObject({ exitCode: code, stdout: '', stderr: 'interrupted\n' });
    expect(cleaned).toBe(true);
  });

  it('by SIGINT ends a search with the best so far, and a second one aborts', async () => {
    const listeners = new Map<string, () => void>();
    let stopped = 0;
    const result = await runCli(['compress', 'm.onnx'], {
      onSignal: (name, listener) => listeners.set(name, listener),
      api: {
        compress: (_, __, context) =>
          new Promise((_, reject) => {
            context!.signal!.addEventListener('abort', () => reject(context!.signal!.reason));
            context!.onSearch!(() => {
              stopped++;
            });
            listeners.get('SIGINT')!();
            expect(context!.signal!.aborted).toBe(false);
            setTimeout(() => listeners.get('SIGINT')!(), 5);
          }),
      },
    });
    expect(stopped).toBe(1);
    expect(result.exitCode).toBe(130);
    expect(result.stderr).toBe('finishing with the best model so far; interrupt again to stop at once\ninterrupted\n');
  });

  it('that comes twice does not wait for work that does not end', async () => {
    const listeners = new Map<string, () => void>();
    const started = performance.now();
    const result = await runCli(['inspect', 'm.onnx'], {
      onSignal: (name, listener) => listeners.set(name, listener),
      api: {
        inspect: () => {
          setTimeout(() => listeners.get('SIGINT')!(), 5);
          setTimeout(() => listeners.get('SIGINT')!(), 15);
          return new Promise(() => {});
        },
      },
    });
    expect(result).toMatchObject({ exitCode: 130, stderr: 'interrupted\n' });
    // Once is answered after five seconds.
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

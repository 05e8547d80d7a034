import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CliApi } from '../../src/cli/cli-api.ts';
import { main } from '../../src/cli/main.ts';
import { fakeApi } from './fake-api.ts';

class FakeStream extends EventEmitter {
  text = '';
  write(text: string, done?: () => void): boolean {
    this.text += text;
    if (done !== undefined) setImmediate(done);
    return true;
  }
}

class FakeProcess extends EventEmitter {
  readonly stdout = new FakeStream();
  readonly stderr = new FakeStream();
  readonly env = {};
  readonly argv: readonly string[];
  readonly exited: Promise<number>;
  exit!: (code: number) => void;

  constructor(args: readonly string[]) {
    super();
    this.argv = ['node', 'edgepack', ...args];
    this.exited = new Promise((resolve) => {
      this.exit = resolve;
    });
  }

  cwd(): string {
    return process.cwd();
  }
}

function start(args: readonly string[], change: Partial<CliApi> = {}) {
  const process = new FakeProcess(args);
  main(process as unknown as NodeJS.Process, fakeApi([], change));
  return process;
}

describe('main', () => {
  it('ends the process with the exit code of the command', async () => {
    const good = start(['targets']);
    expect(await good.exited).toBe(0);
    expect(good.stdout.text).toContain('rpi4');
    const bad = start(['targets', 'toaster']);
    expect(await bad.exited).toBe(2);
  });

  it('explains a package that is not installed', async () => {
    const missing = new Error("Cannot find package 'onnxruntime-node' imported from /x/session.js");
    const process = start(['inspect', 'm.onnx'], { inspect: () => Promise.reject(missing) });
    expect(await process.exited).toBe(2);
    expect(process.stderr.text).toBe(
      'error: the package onnxruntime-node is not installed [engine-missing]\nhint: Install the dependencies again: npm install --ignore-scripts\n',
    );
  });

  it('names a file of the package that is missing', async () => {
    const missing = new Error("Cannot find module '/x/dist/bundle/check.js' imported from /x/dist/bundle/core.js");
    const process = start(['inspect', 'm.onnx'], { inspect: () => Promise.reject(missing) });
    expect(await process.exited).toBe(2);
    expect(process.stderr.text).toContain(
      "error: edgepack is not installed completely: '/x/dist/bundle/check.js' is missing [engine-missing]\n",
    );
  });

  it('treats a failure to load of any other kind as a bug', async () => {
    const process = start(['inspect', 'm.onnx'], { inspect: () => Promise.reject(new SyntaxError('odd')) });
    expect(await process.exited).toBe(70);
    expect(process.stderr.text).toContain('SyntaxError: odd');
  });

  it('ends calmly when nobody reads the output any more', async () => {
    const process = start(['inspect', 'm.onnx'], { inspect: () => new Promise(() => {}) });
    process.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(await process.exited).toBe(0);
  });

  it('turns an exception nobody caught into exit code 70', async () => {
    const process = start(['inspect', 'm.onnx'], { inspect: () => new Promise(() => {}) });
    process.emit('uncaughtException', new Error('stray'));
    expect(await process.exited).toBe(70);
    expect(process.stderr.text).toContain('internal error: stray');
  });
});

describe('bin/edgepack.js', () => {
  it('says in one line that nothing is built or installed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgepack-bin-'));
    const root = resolve(import.meta.dirname, '..', '..');
    for (const name of ['bin', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true });
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'bin', 'edgepack.js'), 'targets']);
    rmSync(folder, { recursive: true, force: true });
    expect([status, stdout.toString()]).toEqual([2, '']);
    expect(stderr.toString()).toMatch(
      /^error: edgepack is not installed completely: .* \[engine-missing\]\nhint: Run npm ci .*\n$/,
    );
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as sources from '../../src/index.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

interface PackageScripts {
  installPacked(project: string): { files: string[]; sizeBytes: number };
}

describe('the packed package', () => {
  const project = mkdtempSync(join(tmpdir(), 'edgepack-package-'));
  let packed: { files: string[]; sizeBytes: number };

  beforeAll(async () => {
    const path = join(root, 'scripts', 'install-packed.mjs');
    const scripts = (await import(/* @vite-ignore */ path)) as PackageScripts;
    packed = scripts.installPacked(project);
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it('holds the program, its data files, schemas and fixtures, and nothing of the workshop', () => {
    const folders = new Set(packed.files.map((file) => file.split('/')[0]));
    expect([...folders].sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'fixtures', 'package.json', 'schemas'].sort(),
    );
    expect(packed.files).toContain('dist/formats/onnx/onnx-schema.json');
    expect(packed.files).toContain('dist/targets/rpi4.json');
    expect(packed.files).toContain('dist/recipes/accurate.json');
    expect(packed.files).toContain('schemas/report.schema.json');
    expect(packed.files.filter((file) => /\.test\.|^(src|test|scripts|benchmarks)\//.test(file))).toEqual([]);
    expect(packed.sizeBytes).toBeLessThan(2_000_000);
  });

  it('holds every module once: where it is started by its path, or in the bundle', () => {
    const code = packed.files.filter((file) => /^dist\/.*\.js$/.test(file) && !file.startsWith('dist/bundle/'));
    expect(code.sort()).toEqual([
      'dist/device/agent/main.js',
      'dist/formats/epk/stream-worker.js',
      'dist/runtime/child/main.js',
      'dist/runtime/child/watchdog.js',
    ]);
    const bundle = join(project, 'node_modules', 'edgepack', 'dist', 'bundle');
    const modules = readdirSync(bundle).flatMap((name) => {
      const text = readFileSync(join(bundle, name), 'utf8');
      return Array.from(text.matchAll(/^\/\/(?:#region)? (src\/\S+\.ts)$/gm), ([, path]) => path!);
    });
    expect(modules.filter((path, i) => modules.indexOf(path) !== i)).toEqual([]);
    expect(modules).toContain('src/diagnostics/edgepack-error.ts');
    expect(modules).toContain('src/pipeline/compress.ts');
    for (const name of readdirSync(join(root, 'src', 'cli', 'commands'))) {
      expect(modules).toContain(`src/cli/commands/${name}`);
    }
  });

  it('gives the API of the sources', () => {
    const program = `console.log(JSON.stringify(Object.keys(await import('edgepack')).sort()))`;
    const names = run(['--input-type=module', '--eval', program]);
    expect(JSON.parse(names)).toEqual(Object.keys(sources).sort());
  });

  it('has a typed API that a strict program compiles against', () => {
    const program = join(project, 'program.ts');
    writeFileSync(
      program,
      `import { compress } from 'edgepack';
const result = await compress('model.onnx', { target: 'rpi4', recipe: 'accurate', maxAccuracyDrop: 0.5 });
const outputs: readonly { readonly path: string; readonly sizeBytes: number }[] = result.outputs;
const sizeBytes: number | undefined = result.report?.sizes.onnxBytes;
console.log(outputs, sizeBytes);
// @ts-expect-error: an option that does not exist
await compress('model.onnx', { tarrget: 'rpi4' });
// @ts-expect-error: an option of another type
await compress('model.onnx', { sparsity: 'half' });
`,
    );
    const config = join(project, 'tsconfig.json');
    const compilerOptions = {
      target: 'ES2022',
      module: 'NodeNext',
      moduleResolution: 'NodeNext',
      strict: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules', '@types')],
    };
    writeFileSync(config, JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    expect(run([tsc, '-p', config])).toBe('');
  });

  it('resolves, and reports its own version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const program = `const api = await import('edgepack'); console.log(typeof api.compress)`;
    expect(run(['--input-type=module', '--eval', program]).trim()).toBe('function');
    expect(run([join('node_modules', 'edgepack', 'bin', 'edgepack.js'), '--version']).trim()).toBe(version);
  });

  function run(args: readonly string[]): string {
    try {
      return execFileSync(process.execPath, args, {
        cwd: project,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${stdout}${stderr}`);
    }
  }
});

// Does what a newcomer does: installs the packed package into an empty folder and runs the README's first command there, and the
// same command in this checkout. Checks that the results are there and smaller than the model.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstCommand, installPacked } from './install-packed.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(tmpdir(), 'edgepack-smoke-'));

/** Runs the command with `bin` from `cwd` and checks what it writes. */
function check(what, bin, args, cwd, output) {
  console.log(`\n${what}: edgepack ${args.join(' ')}`);
  execFileSync(process.execPath, [bin, ...args], { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  const model = join(cwd, args[1]);
  const stem = args[1]
    .split('/')
    .at(-1)
    .replace(/\.onnx$/, '');
  const size = (name) => statSync(join(output, name)).size;
  for (const name of [`${stem}.onnx`, `${stem}.epk`, 'report.json', 'report.md', 'report.html']) {
    if (!existsSync(join(output, name))) throw new Error(`${what}: ${name} was not written`);
    console.log(`  ${name}: ${size(name)} bytes`);
  }
  if (size(`${stem}.onnx`) > 0.5 * statSync(model).size) throw new Error(`${what}: the model is not half as large`);
  if (size(`${stem}.epk`) >= size(`${stem}.onnx`)) throw new Error(`${what}: the .epk is not smaller than the .onnx`);
  const report = JSON.parse(readFileSync(join(output, 'report.json'), 'utf8'));
  const exact = report.accuracy?.exact?.top1?.value;
  console.log(`  accuracy: ${report.accuracy?.original.top1?.value} before, ${exact} after`);
  if (!(exact > 0.95)) throw new Error(`${what}: accuracy after compression is ${exact}`);
}

try {
  const [command, model, ...rest] = firstCommand();
  const place = (argument, fixtures, output) =>
    argument.startsWith('fixtures/')
      ? `${fixtures}${argument.slice('fixtures'.length)}`
      : /^out\/?$/.test(argument)
        ? output
        : argument;
  const args = (fixtures, output) => [
    command,
    ...[model, ...rest].map((argument) => place(argument, fixtures, output)),
  ];

  const project = join(folder, 'project');
  const { files, sizeBytes } = installPacked(project);
  console.log(`package: ${files.length} files, ${sizeBytes} bytes`);
  for (const needed of [
    'bin/edgepack.js',
    'dist/bundle/index.js',
    'dist/index.d.ts',
    'LICENSE',
    'fixtures/digits.npz',
  ]) {
    if (!files.includes(needed)) throw new Error(`the package lacks ${needed}`);
  }
  const installed = join('node_modules', 'edgepack');
  const inProject = args(`${installed}/fixtures`.replaceAll('\\', '/'), 'out');
  check('installed package', join(project, installed, 'bin', 'edgepack.js'), inProject, project, join(project, 'out'));

  const output = join(folder, 'out');
  check('this checkout', join(root, 'bin', 'edgepack.js'), args('fixtures', output), root, output);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

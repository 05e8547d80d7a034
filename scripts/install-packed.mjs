import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs npm with the Node that runs this, on every platform. */
export function npm(args, cwd) {
  // npm is a .cmd file on Windows, which only a shell starts.
  return execFileSync('npm', args, { cwd, encoding: 'utf8', shell: process.platform === 'win32', maxBuffer: 1 << 26 });
}

/**
 * Packs this checkout as it would be published and installs the tarball into an empty project.
 * @returns {{ files: string[], sizeBytes: number }} what is in the tarball, and its size
 */
export function installPacked(project) {
  mkdirSync(project, { recursive: true });
  // What `prepare` prints may come before the JSON.
  const output = npm(['pack', '--json', '--pack-destination', project], root);
  const [{ filename, files, size }] = JSON.parse(output.slice(output.search(/^\[/m)));
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }\n');
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', join(project, filename)], project);
  return { files: files.map(({ path }) => path), sizeBytes: size };
}

/** The first command of the README: what a newcomer types. */
export function firstCommand() {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const command = /^npx edgepack (.+)$/m.exec(readme);
  if (command === null) throw new Error('README.md has no line that starts with "npx edgepack"');
  return command[1].trim().split(/\s+/);
}

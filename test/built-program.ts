import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../', import.meta.url));

/** Builds the program and copies it: a build that somebody makes meanwhile does not matter. Returns the path of its start. */
export function builtProgram(folder: string): string {
  mkdirSync(folder);
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = { cwd: project, stdio: 'pipe' } as const;
  execFileSync(process.execPath, [compiler, '-p', join(project, 'tsconfig.build.json')], options);
  for (const script of ['copy-assets.mjs', 'bundle.mjs'])
    execFileSync(process.execPath, [`scripts/${script}`], options);
  for (const name of ['bin', 'dist', 'package.json', 'schemas']) {
    cpSync(join(project, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return join(folder, 'bin', 'edgepack.js');
}

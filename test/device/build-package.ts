import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The sources as they are now, built: what goes to a device is built code. The caller removes the folder. */
export function buildPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'built-'));
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', folder, '--declaration', 'false'];
  execFileSync(process.execPath, args, { cwd: root, stdio: 'pipe' });
  return folder;
}

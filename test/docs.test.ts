import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { preprocessPresets } from '../src/data/preprocess.ts';
import { ExitCode, errorCatalogue } from '../src/diagnostics/edgepack-error.ts';
import { listRecipes } from '../src/recipes/load-recipe.ts';
import { listTargets } from '../src/targets/load-target.ts';
import { exampleFolder } from './cli/example-folder.ts';
import { runCli } from './cli/fake-api.ts';

const root = resolve(import.meta.dirname, '..');
const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const page = (name: string) => readFileSync(join(root, 'docs', name), 'utf8');

interface Generator {
  generatedPages(): Promise<ReadonlyMap<string, { readonly before: string; readonly after: string }>>;
}

describe('docs/', () => {
  it('holds what the code generates: run "npm run docs"', async () => {
    const path = join(root, 'scripts', 'docs', 'generated-pages.mjs');
    const { generatedPages } = (await import(/* @vite-ignore */ path)) as Generator;
    const pages = await generatedPages();
    expect([...pages.keys()]).toEqual(['api.md', 'cli.md', 'recipes.md', 'targets.md', 'troubleshooting.md']);
    for (const [name, { before, after }] of pages) expect(before, name).toBe(after);
  });

  it('explains every error code and exit code', () => {
    const text = page('troubleshooting.md');
    for (const code of Object.keys(errorCatalogue)) {
      const section = text.split(`\n### ${code}\n`)[1]?.split('\n#')[0]?.trim();
      expect(section?.length ?? 0, code).toBeGreaterThan(80);
    }
    for (const code of Object.values(ExitCode)) expect(text).toMatch(new RegExp(`^\\| ${code} \\| `, 'm'));
  });

  it('names every command, recipe, device, preset and page in its place', async () => {
    const { stdout } = await runCli(['--help']);
    const commands = Array.from(
      /Commands:\n([\s\S]*?)\n\n/.exec(stdout)![1]!.matchAll(/^ {2}([a-z]+)/gm),
      ([, name]) => name!,
    );
    for (const name of commands.filter((name) => name !== 'help'))
      expect(page('cli.md')).toContain(`## edgepack ${name}\n`);
    for (const name of listRecipes()) expect(page('recipes.md')).toContain(`\`${name}\``);
    for (const name of listTargets()) expect(page('targets.md')).toContain(`\`${name}\``);
    for (const name of Object.keys(preprocessPresets())) expect(page('data.md')).toContain(`\`${name}\``);
    const index = page('README.md');
    for (const name of pages.filter((name) => name !== 'README.md')) {
      expect(index, name).toContain(`](${name})`);
    }
  });
});

describe('commands in documents', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', ...pages.map((name) => `docs/${name}`)];

  /** Command lines of edgepack in code blocks and in code within text, without what the shell does around them. */
  function commandLines(text: string): string[] {
    const blocks = Array.from(text.matchAll(/```(?:sh|yaml)\n([\s\S]*?)```/g), ([, block]) => block!);
    const lines = blocks.flatMap((block) => block.split('\n')).map((line) => /\bedgepack [a-z-].*/.exec(line)?.[0]);
    const inline = Array.from(text.replace(/```[\s\S]*?```/g, '').matchAll(/`(edgepack [^`<]+)`/g), ([, line]) => line);
    return [...lines, ...inline]
      .filter((line) => line !== undefined && !line.includes('edgepack-'))
      .map((line) => line!.replace(/\s+(#|>|\|\|).*$/, '').trim());
  }

  it('are found', () => {
    const all = documents.flatMap((name) => commandLines(readFileSync(join(root, name), 'utf8')));
    expect(all.length).toBeGreaterThan(15);
    expect(all).toContain('edgepack compress model.onnx --target ./my-board.json --data photos/');
  });

  it.each(documents)('%s: every one is accepted', async (name) => {
    for (const line of commandLines(readFileSync(join(root, name), 'utf8'))) {
      const words = Array.from(line.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, plain]) => quoted ?? plain!).slice(1);
      // What is mentioned alone in a text ("`edgepack inspect`") need only be a command.
      const args = words.length === 1 ? ['help', ...words] : words;
      const { exitCode, stderr } = await runCli(args, { cwd: exampleFolder(words[0]) });
      expect(exitCode, `${line}: ${stderr}`).toBe(0);
    }
  });

  it.skipIf(process.platform === 'win32').each([
    [0, 0],
    [1, 0],
    [2, 2],
    [3, 3],
    [70, 70],
  ])('the script for CI turns exit code %d into %d', (given, expected) => {
    const script = /```sh\n(code=0\n[\s\S]*?)```/.exec(page('install.md'))![1]!;
    const folder = mkdtempSync(join(tmpdir(), 'edgepack-ci-'));
    writeFileSync(join(folder, 'npx'), `#!/bin/sh\nexit ${given}\n`);
    chmodSync(join(folder, 'npx'), 0o755);
    const env = { PATH: `${folder}${delimiter}${process.env.PATH}` };
    const { status } = spawnSync('sh', ['-e', '-c', script], { env });
    rmSync(folder, { recursive: true, force: true });
    expect(status).toBe(expected);
  });
});

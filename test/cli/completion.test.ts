import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bashCompletion } from '../../src/cli/completion/bash-completion.ts';
import { completionTree } from '../../src/cli/completion/completion-tree.ts';
import { listRecipes } from '../../src/recipes/load-recipe.ts';
import { listTargets } from '../../src/targets/load-target.ts';
import { runCli } from './fake-api.ts';

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'edgepack-completion-'));
const place = (name: string) => join(folder, name);

beforeAll(async () => {
  mkdirSync(place('work/photos of cats'), { recursive: true });
  writeFileSync(place('work/my model.onnx'), '');
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    writeFileSync(place(shell), (await runCli(['completion', shell])).stdout);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(shell: string, args: readonly string[]): string {
  return execFileSync(shell, args, {
    cwd: place('work'),
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: folder },
  });
}

/** What bash offers for the last of these words. */
function bash(words: readonly string[], script = place('bash')): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const program = `source '${script}'; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _edgepack; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run('bash', ['--norc', '-c', program]).split('\n').filter(Boolean);
}

describe('completionTree', () => {
  it('reads commands, options and the kinds of values that it has never heard of from the command itself', () => {
    const program = new Command('edgepack').addCommand(
      new Command('bench')
        .summary('Measure latency: of one model or several')
        .argument('<models...>', 'the .onnx files')
        .addOption(new Option('-t, --target <device>', 'Device to imitate'))
        .addOption(new Option('--format <format>', 'How to print').choices(['text', 'json']))
        .addOption(new Option('--rounds <count>', 'How often. Default 10.')),
    );
    const [bench] = completionTree(program, { device: ['rpi4'] }).commands;
    expect(bench).toMatchObject({
      path: 'bench',
      summary: 'Measure latency',
      arguments: [{ name: 'models', words: [], paths: 'files', repeatable: true }],
      options: [
        { flags: ['-t', '--target'], value: { words: ['rpi4'], paths: 'files' } },
        { flags: ['--format'], value: { words: ['text', 'json'], paths: 'none' } },
        { flags: ['--rounds'], description: 'How often', value: { words: [], paths: 'none' } },
        { flags: ['-h', '--help'], value: undefined },
      ],
    });
  });
});

describe('edgepack completion', () => {
  it('refuses a shell it does not know, and names those it does', async () => {
    const { exitCode, stderr } = await runCli(['completion', 'csh']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('bash, zsh, fish, powershell');
  });

  it.each(['bash', 'zsh', 'fish', 'powershell'])('names every command, device and recipe to %s', async (shell) => {
    const { stdout } = await runCli(['completion', shell]);
    const help = (await runCli(['--help'])).stdout;
    const commands = Array.from(
      /Commands:\n([\s\S]*?)\n\n/.exec(help)![1]!.matchAll(/^ {2}([a-z]+)/gm),
      ([, name]) => name!,
    );
    expect(commands).toContain('help');
    for (const name of [...commands, ...listTargets(), ...listRecipes()]) expect(stdout).toContain(name);
  });
});

describe.skipIf(!has('bash'))('bash', () => {
  it('parses the script', () => {
    expect(run('bash', ['-n', place('bash')])).toBe('');
  });

  it.each([
    [['comp'], ['compress', 'completion']],
    [['help', 'targ'], ['targets']],
    [['compress', '--max'], ['--max-accuracy-drop']],
    [
      ['compress', 'm.onnx', '-t', 'rpi'],
      ['rpi-zero2w', 'rpi3b+', 'rpi4', 'rpi5'],
    ],
    [['compress', '--target', '=', 'jetson-n'], ['jetson-nano']],
    [
      ['compress', '--calibration-method', '='],
      ['min-max', 'percentile', 'entropy', 'mse'],
    ],
    [['compress', '--recipe', 'acc'], ['accurate']],
    [
      ['compress', '--preprocess', 'mnist'],
      ['mnist-0-1', 'mnist-normalized'],
    ],
    [['compress', '--seed', ''], []],
    [['compress', '--seed', '7', 'my'], ['my model.onnx']],
    [['inspect', 'my'], ['my model.onnx']],
    [['inspect', 'a.onnx', 'my'], []],
    [['compress', 'a.onnx', '-o', ''], ['photos of cats']],
    [['compress', 'a.onnx', '-d', 'ph'], ['photos of cats']],
    [['targets', 'n1'], ['n100']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', 'powershell'],
    ],
  ])('completes %j', (words, expected) => {
    expect(bash(['edgepack', ...words]).sort()).toEqual([...expected].sort());
  });

  it('completes each of several arguments, and of nested commands', () => {
    const program = new Command('edgepack')
      .addCommand(new Command('bench').argument('<models...>', ''))
      .addCommand(
        new Command('cache').addCommand(
          new Command('clear').addArgument(new Argument('<what>').choices(['all', 'old'])),
        ),
      );
    writeFileSync(place('other'), bashCompletion(completionTree(program, {})));
    expect(bash(['edgepack', 'bench', 'a.onnx', 'b.onnx', 'my'], place('other'))).toEqual(['my model.onnx']);
    expect(bash(['edgepack', 'cache', 'cl'], place('other'))).toEqual(['clear']);
    expect(bash(['edgepack', 'cache', 'clear', 'o'], place('other'))).toEqual(['old']);
  });
});

describe.skipIf(!has('zsh'))('zsh', () => {
  const cases = [
    ['edgepack targ', 'edgepack targets'],
    ['edgepack compress --max', 'edgepack compress --max-accuracy-drop='],
    ['edgepack compress m.onnx -t rpi-', 'edgepack compress m.onnx -t rpi-zero2w'],
    ['edgepack compress --target=jetson-n', 'edgepack compress --target=jetson-nano'],
    ['edgepack compress --calibration-method p', 'edgepack compress --calibration-method percentile'],
    ['edgepack inspect my', 'edgepack inspect my\\ model.onnx'],
    ['edgepack compress m.onnx -o ph', 'edgepack compress m.onnx -o photos\\ of\\ cats/'],
    ['edgepack help ev', 'edgepack help evaluate'],
  ] as const;
  let completed: string[];

  // A real shell behind a pseudo-terminal: every line, then TAB, then a key that shows what stands there.
  beforeAll(() => {
    const driver = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1= PS2= RPS1= KEYTIMEOUT=1; stty -echo; autoload -Uz compinit; compinit -u -D; source ${place('zsh')}'
zpty -w shell 'show() { print -r -- "<<$BUFFER>>"; BUFFER= }; zle -N show; bindkey "^X" show; print rea""dy'
zpty -r -m shell output '*ready*'
for line in ${cases.map(([line]) => `'${line}'`).join(' ')}; do
  zpty -w -n shell $line$'\\t\\C-x'
  zpty -r -m shell output '*<<*>>*'
  print -r -- $output
done
zpty -d shell`;
    completed = Array.from(run('zsh', ['-f', '-c', driver]).matchAll(/<<(.*)>>/g), ([, line]) => line!.trim());
  });

  it('parses the script', () => {
    expect(run('zsh', ['-n', place('zsh')])).toBe('');
  });

  it.each(cases.map(([line, expected], index) => ({ line, expected, index })))(
    'completes "$line" to "$expected"',
    ({ index, expected }) => expect(completed[index]).toBe(expected),
  );
});

describe.skipIf(!has('fish'))('fish', () => {
  const fish = (line: string) =>
    run('fish', ['--no-config', '-c', `source ${place('fish')}; complete -C '${line}'`])
      .split('\n')
      .filter(Boolean)
      .map((entry) => entry.split('\t')[0]);

  it('parses the script', () => {
    expect(run('fish', ['--no-execute', place('fish')])).toBe('');
  });

  it.each([
    ['edgepack comp', ['completion', 'compress']],
    ['edgepack compress --max', ['--max-accuracy-drop']],
    ['edgepack compress m.onnx -t rpi-', ['rpi-zero2w']],
    ['edgepack compress --calibration-method p', ['percentile']],
    ['edgepack inspect my', ['my model.onnx']],
    ['edgepack compress m.onnx -o ph', ['photos of cats/']],
    ['edgepack compress --seed ', []],
    ['edgepack help ev', ['evaluate']],
    ['edgepack targets n1', ['n100']],
  ])('completes %j', (line, expected) => {
    expect(fish(line)).toEqual(expected);
  });
});

describe.skipIf(!has('pwsh'))('powershell', () => {
  it.each([
    ['edgepack comp', ['compress', 'completion']],
    ['edgepack compress m.onnx -t jetson-n', ['jetson-nano']],
    ['edgepack compress --max', ['--max-accuracy-drop']],
  ])('completes %j', (line, expected) => {
    const program = `. ${place('powershell')}; (TabExpansion2 '${line}' ${line.length}).CompletionMatches.CompletionText`;
    writeFileSync(place('powershell.ps1'), program.replace(place('powershell'), place('script.ps1')));
    writeFileSync(place('script.ps1'), execFileSync('cat', [place('powershell')]));
    expect(
      run('pwsh', ['-NoProfile', '-File', place('powershell.ps1')])
        .split('\n')
        .filter(Boolean),
    ).toEqual(expected);
  });
});

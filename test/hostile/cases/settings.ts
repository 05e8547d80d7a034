import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { files, type HostileCase, write } from '../hostile-case.ts';
import { model, soundGraph } from '../onnx-messages.ts';

const sound = () => model(soundGraph());
const plan = (...more: string[]) => ['compress', 'model.onnx', '--dry-run', ...more];

/** The same text as configuration, recipe, target and preprocess. */
function everywhere(text: string, says: RegExp = /./): HostileCase {
  return files(
    (folder) => write(folder, { 'model.onnx': sound(), 'bad.json': text, 'sub/edgepack.config.json': text }),
    [
      { args: plan('--config', 'bad.json'), outcome: 'refused', exitCode: 2, says },
      { args: plan('--recipe', 'bad.json'), outcome: 'refused', exitCode: 2, says },
      { args: plan('--target', 'bad.json'), outcome: 'refused', exitCode: 2, says },
      { args: ['targets', './bad.json'], outcome: 'refused', exitCode: 2, says },
    ],
  );
}

export const emptyFile = everywhere('', /not valid JSON/);
export const notJson = everywhere('{target: rpi4}', /not valid JSON/);
export const binary = everywhere('\u0000\u0001\u0002\ufffd', /not valid JSON/);
export const deepArrays = everywhere(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
export const deepObjects = everywhere(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`);
export const unclosedArrays = everywhere('['.repeat(500_000));
export const notAnObject = everywhere('[1, 2]');
export const nullFile = everywhere('null');
export const number = everywhere('1e999');
export const notANumber = everywhere('{"sparsity": NaN}', /not valid JSON/);
export const infinity = everywhere('{"maxAccuracyDrop": 1e999, "name": 1e999, "cores": 1e999}');
export const prototypeKey = everywhere('{"__proto__": {"polluted": true}}');
export const constructorKey = everywhere('{"constructor": {"prototype": {"polluted": true}}}');
export const keyTwice = everywhere('{"sparsity": 2, "sparsity": 3, "name": "a", "name": ""}');
export const keyOfControlCharacters = everywhere('{"\\u001b[31m\\n\\u202e": 1}');
export const keyOf500Kb = everywhere(`{"${'k'.repeat(500_000)}": 1}`);
export const tooLarge = everywhere(' '.repeat(3_000_000), /too large/);
export const wrongTypes = everywhere('{"threads": "many", "target": 5, "data": [], "steps": {}, "name": {}}');
export const thousandsOfKeys = everywhere(
  JSON.stringify(Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`k${i}`, i]))),
);
export const manySteps = everywhere(
  JSON.stringify({
    name: 'r',
    description: 'd',
    steps: new Array(20_000).fill({ pass: 'optimize', options: {} }),
    threads: -1,
  }),
);

const pathIs = (make: (path: string) => void): HostileCase =>
  files(
    (folder) => {
      write(folder, { 'model.onnx': sound() });
      make(join(folder, 'bad.json'));
    },
    [
      { args: plan('--config', 'bad.json'), outcome: 'refused', exitCode: 2 },
      { args: plan('--recipe', 'bad.json'), outcome: 'refused', exitCode: 2 },
      { args: plan('--target', './bad.json'), outcome: 'refused', exitCode: 2 },
      { args: ['targets', 'bad.json'], outcome: 'refused', exitCode: 2 },
      { args: plan('--preprocess', 'bad.json', '-d', 'bad.json'), outcome: 'refused', exitCode: 2 },
      { args: plan('--labels', 'bad.json', '-d', 'bad.json'), outcome: 'refused', exitCode: 2 },
    ],
  );
export const folder = pathIs((path) => mkdirSync(path));
export const pipe = pathIs((path) => void execFileSync('mkfifo', [path]));
export const endlessDevice = pathIs((path) => symlinkSync('/dev/zero', path));
export const linkLoop = pathIs((path) => symlinkSync('bad.json', path));
export const pipeInTheWorkingFolder = files(
  (folder) => {
    write(folder, { 'model.onnx': sound() });
    execFileSync('mkfifo', [join(folder, 'edgepack.config.json')]);
  },
  [
    { args: plan(), outcome: 'refused', exitCode: 2 },
    { args: ['evaluate', 'model.onnx', '-d', 'x.npz'], outcome: 'refused', exitCode: 2 },
  ],
);
export const nonsenseArguments = files(
  (folder) => write(folder, { 'model.onnx': sound() }),
  [
    ['--sparsity', '1e999'],
    ['--sparsity', 'NaN'],
    ['--threads', '99999999999999999999'],
    ['--threads', '-1'],
    ['--seed', '-1'],
    ['--max-accuracy-drop', 'Infinity'],
    ['--target', '\u001b[31m'],
    ['--recipe', '__proto__'],
    ['--target', 'constructor'],
    ['--preprocess', 'toString', '-d', 'x.npz'],
    ['--nodes-to-exclude', ''],
    ['--nodes-to-exclude', 'x'.repeat(5000)],
    ['--no-such-option\u001b[31m'],
  ].map((more) => ({
    args: ['compress', 'model.onnx', '-o', 'out', ...more],
    outcome: 'refused' as const,
    exitCode: 2 as const,
  })),
);
export const slowPattern = files(
  (folder) => {
    const content = soundGraph();
    content.node![0]!.name = `${'a'.repeat(60_000)}!`;
    writeFileSync(join(folder, 'model.onnx'), model(content));
  },
  [
    {
      args: ['compress', 'model.onnx', '-o', 'out', '--nodes-to-exclude', '*a'.repeat(2000)],
      outcome: 'handled',
      engine: true,
      check: 'same-outputs',
    },
  ],
);
export const cacheFolderIsAFile = files(
  (folder) => write(folder, { 'model.onnx': sound(), cache: 'a file' }),
  [{ args: ['compress', 'model.onnx', '-o', 'out', '--cache-folder', 'cache'], outcome: 'handled', engine: true }],
);

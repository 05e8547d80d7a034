import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { files, refusedFiles, write } from '../hostile-case.ts';
import { model, soundGraph } from '../onnx-messages.ts';

const commandsOn = (path: string) => [
  ['inspect', path],
  ['pack', path, '-o', 'out.epk'],
  ['compress', path, '-o', 'out'],
  ['unpack', path, '-o', 'back.onnx'],
];
const sound = (folder: string) => write(folder, { 'model.onnx': model(soundGraph()) });

export const folderAsModel = refusedFiles((folder) => mkdirSync(join(folder, 'model.onnx')), /regular file/);
export const pipeAsModel = refusedFiles(
  (folder) => void execFileSync('mkfifo', [join(folder, 'model.onnx')]),
  /regular file/,
);
export const linkToADevice = refusedFiles(
  (folder) => symlinkSync('/dev/zero', join(folder, 'model.onnx')),
  /regular file/,
);
export const linkToNull = refusedFiles(
  (folder) => symlinkSync('/dev/null', join(folder, 'model.onnx')),
  /regular file/,
);
export const sparseModel = refusedFiles((folder) => {
  writeFileSync(join(folder, 'model.onnx'), '');
  truncateSync(join(folder, 'model.onnx'), 3 * 2 ** 30);
}, /2 GiB/);
export const devices = files(
  () => {},
  commandsOn('/dev/zero').map((args) => ({ args, outcome: 'refused' as const })),
);
export const missingModel = files(
  () => {},
  commandsOn('none.onnx').map((args) => ({ args, outcome: 'refused' as const, exitCode: 2 as const })),
);
export const linkLoop = files(
  (folder) => symlinkSync('model.onnx', join(folder, 'model.onnx')),
  commandsOn('model.onnx').map((args) => ({ args, outcome: 'refused' as const })),
);
export const pathOfControlCharacters = files(
  () => {},
  commandsOn('a\u001b[31m\n\u202eb.onnx').map((args) => ({ args, outcome: 'refused' as const, exitCode: 2 as const })),
);
export const veryLongPath = files(
  () => {},
  commandsOn(`${'a/'.repeat(5000)}m.onnx`).map((args) => ({ args, outcome: 'refused' as const, exitCode: 2 as const })),
);
export const outputIsAFile = files(
  (folder) => {
    sound(folder);
    write(folder, { out: 'a file' });
  },
  [{ args: ['compress', 'model.onnx', '-o', 'out'], outcome: 'refused', exitCode: 2, engine: true }],
);
export const outputBelowAFile = files(
  (folder) => {
    sound(folder);
    write(folder, { out: 'a file' });
  },
  [
    { args: ['compress', 'model.onnx', '-o', 'out/deeper'], outcome: 'refused', exitCode: 2, engine: true },
    { args: ['pack', 'model.onnx', '-o', 'out/m.epk'], outcome: 'refused', exitCode: 2 },
  ],
);
export const outputIsADevice = files(sound, [
  { args: ['pack', 'model.onnx', '-o', '/dev/full'], outcome: 'refused', exitCode: 2 },
  { args: ['pack', 'model.onnx', '-o', '/proc/self/nothing/m.epk', '-f'], outcome: 'refused', exitCode: 2 },
]);
export const outputIsTheFolderItself = files(sound, [
  { args: ['pack', 'model.onnx', '-o', '.', '-f'], outcome: 'refused', exitCode: 2 },
]);

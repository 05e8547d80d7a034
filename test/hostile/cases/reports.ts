import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { files, type HostileCase, write } from '../hostile-case.ts';
import { model, soundGraph } from '../onnx-messages.ts';

const refused = { outcome: 'refused' as const, exitCode: 2 as const };
const budgets = JSON.stringify({ budgets: { size: { file: { max: 1_000_000 } } } });

/** The file is given as a report to everything that reads one. */
function asReport(make: (path: string) => void, says: RegExp = /./): HostileCase {
  return files(
    (folder) => {
      write(folder, { 'model.onnx': model(soundGraph()), 'edgepack.config.json': budgets });
      make(join(folder, 'bad.json'));
    },
    [
      { ...refused, args: ['report', 'bad.json', '-o', 'page.html'], says },
      { ...refused, args: ['report', 'bad.json', '-o', 'page.md'], says },
      { ...refused, args: ['check', 'bad.json'], says },
      { ...refused, args: ['check', 'model.onnx', '--baseline', 'bad.json'], says },
    ],
  );
}
const ofText = (text: string | Uint8Array, says?: RegExp) => asReport((path) => writeFileSync(path, text), says);

export const missing = asReport(() => {});
export const empty = ofText('');
export const notJson = ofText('<html>');
export const nothing = ofText('null');
export const otherJson = ofText('{"reportVersion": 1}');
export const unknownVersion = ofText('{"reportVersion": 1e308, "tool": {"name": "\\u001b[31m"}}');
export const deepArrays = ofText('['.repeat(200_000));
export const prototypeKey = ofText('{"__proto__": {"reportVersion": 5}, "constructor": null}');
export const controlCharacters = ofText('{"\\u001b[2J\\n\\u202e": 1}');
export const notUtf8 = ofText(Buffer.of(0x7b, 0xff, 0xfe, 0x7d));
export const folder = asReport((path) => mkdirSync(path));
export const pipe = asReport((path) => void execFileSync('mkfifo', [path]), /regular file/);
export const endlessDevice = asReport((path) => symlinkSync('/dev/zero', path), /regular file/);
export const linkLoop = asReport((path) => symlinkSync('bad.json', path));
export const tooLarge = asReport((path) => {
  writeFileSync(path, '{');
  truncateSync(path, 2 ** 31);
}, /too large/);

/** The file is given as a history of checks; nothing of it may be lost or changed where it is refused. */
function asHistory(make: (path: string) => void, says: RegExp = /./): HostileCase {
  return files(
    (folder) => {
      write(folder, { 'model.onnx': model(soundGraph()), 'edgepack.config.json': budgets });
      make(join(folder, 'history.jsonl'));
    },
    [
      {
        ...refused,
        args: ['check', 'model.onnx', '--history', 'history.jsonl', '--commit', 'c', '--trend', 'trend.svg'],
        says,
      },
    ],
  );
}
export const historyIsAFolder = asHistory((path) => mkdirSync(path));
export const historyIsAPipe = asHistory((path) => void execFileSync('mkfifo', [path]), /regular file/);
export const historyIsADevice = asHistory((path) => symlinkSync('/dev/zero', path), /regular file/);
export const historyTooLarge = asHistory((path) => {
  writeFileSync(path, '{}');
  truncateSync(path, 2 ** 31);
}, /too large/);
export const historyOfNonsense: HostileCase = {
  ...asHistory((path) => writeFileSync(path, `${'['.repeat(100_000)}\n{"\u001b[31m":1}\nnull\n{"__proto__":1}\n`)),
  commands: [{ args: ['check', 'model.onnx', '--history', 'history.jsonl', '--commit', 'c'], outcome: 'either' }],
};

/** The profile of a device with other latency models, as a user may have measured or been given them. */
const board = JSON.parse(readFileSync(new URL('../../../src/targets/rpi4.json', import.meta.url), 'utf8'));
function asCalibration(latency: string): HostileCase {
  return files(
    (path) =>
      write(path, {
        'model.onnx': model(soundGraph()),
        'bad.json': JSON.stringify({ ...board, latency: 'LATENCY' }).replace('"LATENCY"', latency),
      }),
    [
      { ...refused, args: ['targets', './bad.json'] },
      { ...refused, args: ['predict', 'model.onnx', '-t', './bad.json'] },
      { ...refused, args: ['compress', 'model.onnx', '--dry-run', '-t', './bad.json'] },
    ],
  );
}
export const calibrationOfText = asCalibration('"fast"');
export const calibrationOfManyRows = asCalibration(`{"profiles": [${'{"latencyMs": -1},'.repeat(20_000)} null]}`);
export const calibrationOfInfinities = asCalibration('{"profiles": [{"coefficients": {"macs": 1e999}}]}');

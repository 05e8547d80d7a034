// Measures .epk files: sizes against xz, and the speed of coding weights on one core. `npm run build` first; see README.md here.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { decodeBlock } from '../dist/codec/decode-block.js';
import { encodeBlock } from '../dist/codec/encode-block.js';
import { decodeEpk } from '../dist/formats/epk/decode-epk.js';
import { encodeEpk } from '../dist/formats/epk/encode-epk.js';
import { sectionLayout } from '../dist/formats/epk/section-layout.js';
import { locateInitializers } from '../dist/formats/onnx/locate-initializers.js';
import { epkBars } from './bars.mjs';
import { compressRun } from './compress-run.mjs';
import { machine, xzBytes } from './machine.mjs';
import { suite } from './suite.mjs';
import { count, fixed, table } from './table.mjs';
import { barTable } from './tables.mjs';
import { UsageError } from './usage-error.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const usage = `npm run bench:epk -- [options]
  --models a,b               only these (default: the fixtures and every model of the zoo)
  --rounds N                 timed rounds, of which the fastest counts (default: 5)
  --calibration-samples N    of the int8 files made for this, recipe "accurate" (default: all)
  --zoo PATH                 default: $EDGEPACK_ZOO or ../shared/zoo
  --json                     rows as JSON on stdout, tables on stderr`;

/** Seconds that the processor worked for this process: on a machine with other work, the clock tells of that as well. */
function cpuSeconds(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const megabytesPerSecond = (bytes, seconds) => bytes / 1e6 / seconds;

/** Matrices of 8-bit numbers, as the container lays them out. */
function weightBlocks(bytes) {
  return locateInitializers(bytes)
    .filter(({ dataType, dims }) => (dataType === 2 || dataType === 3) && dims.length > 1)
    .map(({ offset, byteLength, dataType, dims }) => ({
      bytes: new Uint8Array(bytes.buffer, bytes.byteOffset + offset, byteLength),
      layout: sectionLayout(dataType, dims, byteLength),
    }));
}

/** Speed of the fast path on the weights of a file, whatever path the container takes for files of this size. */
function weightSpeed(bytes, rounds) {
  const blocks = weightBlocks(bytes);
  const total = blocks.reduce((sum, block) => sum + block.bytes.length, 0);
  let [encode, decode] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++) {
    let coded = [];
    encode = Math.min(
      encode,
      cpuSeconds(() => {
        coded = blocks.map((block) => encodeBlock(block.bytes, block.layout));
      }),
    );
    const outs = blocks.map((block) => new Uint8Array(block.bytes.length));
    decode = Math.min(
      decode,
      cpuSeconds(() => coded.forEach((block, i) => void decodeBlock(block, outs[i], blocks[i].layout))),
    );
    for (const [i, out] of outs.entries()) {
      if (Buffer.compare(out, blocks[i].bytes) !== 0) throw new Error('a matrix came back different');
    }
  }
  return { weightBytes: total, encode: megabytesPerSecond(total, encode), decode: megabytesPerSecond(total, decode) };
}

/** One file as .epk, on this thread, decoded and compared. */
async function fileRow(name, kind, path, rounds) {
  const bytes = readFileSync(path);
  const files = [{ name: 'model.onnx', bytes, sections: locateInitializers(bytes) }];
  const started = process.cpuUsage();
  const encoded = await encodeEpk(files);
  const encodeCpu = process.cpuUsage(started);
  const decodeStarted = process.cpuUsage();
  const decoded = await decodeEpk(encoded.bytes);
  const decodeCpu = process.cpuUsage(decodeStarted);
  if (Buffer.compare(decoded.files[0].bytes, bytes) !== 0) throw new Error(`${name} came back different`);
  const skeletonBytes = encoded.skeletons[0].codedBytes;
  return {
    model: name,
    kind,
    onnxBytes: bytes.length,
    epkBytes: encoded.bytes.length,
    xzBytes: xzBytes(path),
    graphBytes: skeletonBytes,
    overheadBytes: encoded.overheadBytes,
    fileEncodeSeconds: (encodeCpu.user + encodeCpu.system) / 1e6,
    fileDecodeSeconds: (decodeCpu.user + decodeCpu.system) / 1e6,
    speed: kind === 'int8' ? weightSpeed(bytes, rounds) : null,
  };
}

async function int8File(entry, calibrationSamples, folder) {
  mkdirSync(folder, { recursive: true });
  const samples = await entry.writeSamples(join(folder, 'samples'), { calibrationSamples, evaluationSamples: 1 });
  const options = { target: 'rpi4', recipe: 'accurate', output: folder, calibration: samples.calibration.path };
  if (samples.preprocess !== undefined) options.preprocess = samples.preprocess;
  return (await compressRun(entry.model, { ...options, allowSlower: true, cacheFolder: join(folder, 'cache') }, folder))
    .onnx.path;
}

function rowTable(rows) {
  const header = [
    'model',
    'file',
    '.onnx',
    '.epk',
    'epk/xz',
    'graph',
    'header',
    'file: s in',
    's out',
    'weights: MB/s in',
    'MB/s out',
  ];
  const lines = rows.map((row) => [
    ...[row.model, row.kind, count(row.onnxBytes), count(row.epkBytes)],
    ...[
      row.xzBytes == null ? null : fixed(row.epkBytes / row.xzBytes, 4),
      count(row.graphBytes),
      count(row.overheadBytes),
    ],
    ...[fixed(row.fileEncodeSeconds), fixed(row.fileDecodeSeconds)],
    ...[fixed(row.speed?.encode, 0), fixed(row.speed?.decode, 0)],
  ]);
  return table(header, lines);
}

async function main() {
  const { values } = parseArgs({
    options: {
      models: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      'calibration-samples': { type: 'string' },
      zoo: { type: 'string', default: process.env.EDGEPACK_ZOO ?? join(root, '..', 'shared', 'zoo') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const say = (text) => (values.json ? process.stderr : process.stdout).write(`${text}\n`);
  if (values.help) return say(usage);
  const whole = (name) => {
    if (values[name] === undefined) return undefined;
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name} takes a whole number above 0`);
    return value;
  };
  const [rounds, calibrationSamples] = [whole('rounds'), whole('calibration-samples')];
  const wanted = values.models?.split(',');
  const all = suite(root, resolve(values.zoo));
  const unknown = wanted?.filter((name) => !all.some((entry) => entry.name === name)) ?? [];
  if (unknown.length > 0) throw new UsageError(`no model ${unknown.join(', ')}`);
  const host = machine(root, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
  say(`edgepack ${host.version} on ${host.cpu}, Node ${host.node}; seconds and speeds of one core, as processor time`);
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-bench-epk-'));
  const rows = [];
  try {
    for (const entry of all.filter(({ name }) => wanted === undefined || wanted.includes(name))) {
      if (entry.absent !== undefined) {
        say(`${entry.name}: not measured (${entry.absent})`);
        continue;
      }
      say(`${entry.name}, ${count(statSync(entry.model).size)} bytes …`);
      rows.push(await fileRow(entry.name, 'float', entry.model, rounds));
      const int8 = await int8File(entry, calibrationSamples, join(folder, entry.name));
      rows.push(await fileRow(entry.name, 'int8', int8, rounds));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  say(`\n${rowTable(rows)}`);
  const bars = rows.map((row) => ({ row: { ...row, recipe: row.kind }, bars: epkBars(row) }));
  say(`\n${barTable(bars)}`);
  if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
}

main().catch((error) => {
  process.stderr.write(`${error instanceof UsageError ? `${error.message}\n${usage}` : error.stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});

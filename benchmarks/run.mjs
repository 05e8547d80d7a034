// Measures edgepack on the fixtures of this repository and on the zoo beside it. `npm run build` first; see README.md here.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { balancedBars, barsFor } from './bars.mjs';
import { machine } from './machine.mjs';
import { measure } from './measure.mjs';
import { Peers } from './peers.mjs';
import { storeRows } from './results.mjs';
import { suite } from './suite.mjs';
import { balancedGain, barTable, peerTable, resultTable } from './tables.mjs';
import { UsageError } from './usage-error.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const usage = `npm run bench -- [options]
  --models a,b         only these (default: the fixtures and every model of the zoo)
  --recipes a,b        default: accurate,balanced
  --target NAME        default: rpi4
  --threads N          of every latency (default: 1); compress takes all cores
  --rounds N           timed runs of compress, and of the peer in turns with it (default: 1, with --peers 2)
  --latency-rounds N   default: 15
  --calibration-samples N, --limit N   fewer samples to calibrate, to evaluate, evenly spaced
  --peers              also ONNX Runtime's own quantizer on the same samples, in the same run
  --peers-python PATH  the interpreter that has onnxruntime and onnx (default: python3)
  --peers-folder PATH  where quantize_peers.py is (default: ../shared/peers)
  --zoo PATH           default: $EDGEPACK_ZOO or ../shared/zoo
  --keep FOLDER        keep models and reports there
  --no-save            leave benchmarks/results.jsonl as it is
  --json               rows as JSON on stdout, tables on stderr`;

const options = {
  models: { type: 'string' },
  recipes: { type: 'string', default: 'accurate,balanced' },
  target: { type: 'string', default: 'rpi4' },
  threads: { type: 'string', default: '1' },
  rounds: { type: 'string' },
  'latency-rounds': { type: 'string', default: '15' },
  'calibration-samples': { type: 'string' },
  limit: { type: 'string' },
  peers: { type: 'boolean', default: false },
  'peers-python': { type: 'string', default: 'python3' },
  'peers-folder': { type: 'string', default: join(root, '..', 'shared', 'peers') },
  zoo: { type: 'string', default: process.env.EDGEPACK_ZOO ?? join(root, '..', 'shared', 'zoo') },
  keep: { type: 'string' },
  'no-save': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

let given;

function whole(name) {
  const text = given[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`--${name} takes a whole number above 0, not '${text}'`);
  return value;
}

const say = (text) => (given.json ? process.stderr : process.stdout).write(`${text}\n`);

async function main() {
  given = parseArgs({ options }).values;
  if (given.help) return say(usage);
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  const host = machine(root, version);
  const settings = {
    target: given.target,
    threads: whole('threads'),
    rounds: whole('rounds') ?? (given.peers ? 2 : 1),
    latencyRounds: whole('latency-rounds'),
    calibrationSamples: whole('calibration-samples'),
    evaluationSamples: whole('limit'),
    peers: given.peers ? new Peers(resolve(given['peers-folder']), given['peers-python']) : undefined,
  };
  const entries = chosen(suite(root, resolve(given.zoo)), given.models?.split(','));
  say(`edgepack ${version} on ${host.cpu}, ${host.cores} cores, ${host.platform}, target ${given.target}`);

  const kept = given.keep === undefined ? undefined : resolve(given.keep);
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'edgepack-bench-'));
  const rows = [];
  const peerRows = [];
  const failures = [];
  try {
    for (const entry of entries) {
      if (entry.absent !== undefined) {
        say(`${entry.name}: not measured, ${entry.absent}`);
        continue;
      }
      const modelFolder = join(folder, entry.name);
      mkdirSync(modelFolder, { recursive: true });
      const samples = await entry.writeSamples(join(modelFolder, 'samples'), settings);
      for (const recipe of given.recipes.split(',')) {
        say(`${entry.name}, ${recipe} …`);
        try {
          const { row, peer } = await measure({ entry, recipe, samples, folder: modelFolder, settings, say });
          rows.push({ ...host, ...row });
          if (peer !== undefined) peerRows.push(peer);
        } catch (error) {
          failures.push(`${entry.name}, ${recipe}: ${error.message}`);
          say(`  failed: ${error.message}`);
        }
      }
    }
  } finally {
    if (kept === undefined) rmSync(folder, { recursive: true, force: true });
  }

  say(`\n${resultTable(rows)}`);
  if (peerRows.length > 0) say(`\n${peerTable(rows, peerRows)}`);
  const bars = rows.map((row) => ({
    row,
    bars: barsFor(
      row,
      peerRows.find(({ model }) => model === row.model),
    ),
  }));
  const overall = balancedBars(rows);
  if (overall.length > 0) bars.push({ row: { model: 'zoo', recipe: 'balanced' }, bars: overall });
  say(`\n${barTable(bars)}`);
  for (const line of balancedGain(rows)) say(line);
  if (!given['no-save']) storeRows(join(root, 'benchmarks', 'results.jsonl'), rows);
  if (given.json) process.stdout.write(`${JSON.stringify({ rows, peers: peerRows, bars, failures }, null, 1)}\n`);
  for (const failure of failures) say(`failed: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

function chosen(entries, names) {
  if (names === undefined) return entries;
  const unknown = names.filter((name) => !entries.some((entry) => entry.name === name));
  if (unknown.length > 0) {
    throw new UsageError(`no model ${unknown.join(', ')}; there are ${entries.map(({ name }) => name).join(', ')}`);
  }
  return entries.filter(({ name }) => names.includes(name));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError) && error.code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

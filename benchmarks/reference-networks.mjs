// Times edgepack's reference networks on this machine and prints one row for each, as JSON lines. Run after `npm run build`:
//   npm run bench:reference -- --threads 4 --seconds 10 --board "my board, 1.8 GHz, fan" [--calibrate rpi4]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeModel } from '../dist/formats/onnx/write-model.js';
import { bench, loadTarget, version } from '../dist/index.js';
import { calibrateTarget } from '../dist/latency/calibrate-target.js';
import { describeNetwork } from '../dist/latency/describe-network.js';
import { referenceNetwork, referenceNetworkNames } from '../dist/latency/reference-networks.js';
import { calibrationFolder } from '../dist/targets/load-latency.js';
import { machine } from './machine.mjs';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '10' },
    board: { type: 'string' },
    calibrate: { type: 'string' },
  },
});
const threads = Number(values.threads);
const maxSeconds = Number(values.seconds);
if (!Number.isInteger(threads) || threads < 1) throw new Error('--threads must be a whole number');
if (!(maxSeconds > 0)) throw new Error('--seconds must be more than 0');
const target = values.calibrate === undefined ? undefined : loadTarget(values.calibrate);

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { cpu, platform, commit } = machine(root, version);
const folder = mkdtempSync(join(tmpdir(), 'edgepack-reference-'));
const measurements = [];
let setting;
try {
  for (const name of referenceNetworkNames) {
    const model = referenceNetwork(name);
    const path = join(folder, `${name}.onnx`);
    writeModel(model, path);
    const result = await bench([path], { threads: [threads], maxSeconds });
    const [measured] = result.measurements[0].models;
    const { median, minMs, p90 } = measured;
    const row = {
      board: values.board ?? cpu,
      cpu,
      platform,
      engine: 'onnxruntime',
      engineVersion: result.versions.onnxruntime,
      precision: 'fp32',
      threads,
      network: name,
      latencyMs: median.valueMs,
      latencyMinMs: minMs,
      p90Ms: p90.valueMs,
      interval95Ms: median.interval,
      loadAverage: result.measurements[0].load.loadAverage,
      edgepack: version,
      commit,
    };
    console.log(JSON.stringify(row));
    measurements.push({ features: describeNetwork(model).features, latencyMs: median.valueMs });
    setting = {
      engine: row.engine,
      engineVersion: row.engineVersion,
      precision: row.precision,
      threads,
      cores: 'all',
      osBits: 64,
      board: row.board.slice(0, 80),
      source: `${referenceNetworkNames.length} reference networks of edgepack ${version}, measured on ${cpu}`,
    };
  }
} finally {
  rmSync(folder, { recursive: true });
}
if (target !== undefined) {
  const path = join(calibrationFolder(), `${target.name}.json`);
  mkdirSync(calibrationFolder(), { recursive: true });
  writeFileSync(path, `${JSON.stringify(calibrateTarget(target, measurements, setting), null, 2)}\n`);
  console.error(`wrote ${path}`);
}

// Times edgepack's reference networks on this machine, or on a device, and prints one row for each as JSON lines. Run after
// `npm run build`; `npm run bench:reference -- --help` lists the options.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { calibrate, EdgepackError, version } from '../dist/index.js';
import { checkCalibration } from './check-calibration.mjs';
import { machine } from './machine.mjs';
import { UsageError } from './usage-error.mjs';

const help = `npm run bench:reference -- [options]
  --device ssh://USER@HOST   the machine to measure; default: this one
  --threads COUNT            of the engine, one count or several; default: 1
  --seconds NUMBER           for the rounds of each network; default: 20
  --board TEXT               what is measured: board, clock, cooling
  --calibrate TARGET         also keep it as your calibration of this device
  --check MODEL              also measure a model here and compare with what the calibration predicts (repeatable)
  --force                    take the figures of a board that was throttled or busy`;

const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    board: { type: 'string' },
    calibrate: { type: 'string' },
    check: { type: 'string', multiple: true, default: [] },
    force: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}
const { device, threads, board, force, check } = values;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'edgepack-reference-'));
try {
  if (check.length > 0 && device !== undefined) {
    throw new UsageError('--check measures on this machine, not on a --device');
  }
  // A row is a row of whatever board it is: the target only says where a calibration is kept, and the form of int8.
  const target = values.calibrate ?? (process.arch === 'arm64' ? 'generic-arm64' : 'generic-x64');
  const output = join(folder, `${basename(target, '.json')}.json`);
  const options = {
    ...(device === undefined ? { host: true } : { device }),
    threads,
    maxSeconds: Number(values.seconds),
    ...(board === undefined ? {} : { board }),
    ...(values.calibrate === undefined ? { output } : {}),
    force,
  };
  const logger = {
    debug() {},
    info: (text) => console.error(text),
    warn: (text) => console.error(`warning: ${text}`),
    progress: () => ({ update() {}, done() {} }),
  };
  const result = await calibrate(target, options, { logger });
  const { source, inSpiteOf, warnings } = result;
  const { commit } = machine(root, version);
  for (const row of result.rows) {
    console.log(JSON.stringify({ ...row, ...source, inSpiteOf, edgepack: version, commit }));
  }
  for (const { message } of warnings) console.error(`warning: ${message}`);
  if (result.file.isUsed) console.error(`wrote ${result.file.path}`);
  if (check.length > 0) await checkCalibration(check, result, { seconds: Number(values.seconds) });
} catch (error) {
  if (!(error instanceof UsageError || error instanceof EdgepackError)) throw error;
  console.error(`error: ${error.message}\n${error.hint ?? ''}`);
  process.exitCode = error.exitCode ?? 2;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

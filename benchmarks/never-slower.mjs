// Whether what compress ships is slower than the original, by the evidence that its report names: the fixtures and the zoo for
// every target. `npm run build` first; see README.md here.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listTargets } from '../dist/index.js';
import { compressRun } from './compress-run.mjs';
import { suite } from './suite.mjs';
import { fixed, table } from './table.mjs';
import { UsageError } from './usage-error.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const usage = `npm run bench:never-slower -- [options]
  --models a,b         only these (default: the fixtures and every model of the zoo)
  --targets a,b        only these (default: all)
  --recipe NAME        default: accurate
  --calibration-samples N, --limit N   samples that calibrate and evaluate (default: 32 and 16: speed is what is asked)
  --zoo PATH           default: $EDGEPACK_ZOO or ../shared/zoo
  --json               rows as JSON on stdout`;

const options = {
  models: { type: 'string' },
  targets: { type: 'string' },
  recipe: { type: 'string', default: 'accurate' },
  'calibration-samples': { type: 'string', default: '32' },
  limit: { type: 'string', default: '16' },
  zoo: { type: 'string', default: process.env.EDGEPACK_ZOO ?? join(root, '..', 'shared', 'zoo') },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

/** Verdicts of a report under which a variant counts as slower. */
const SLOWER = new Set(['slower', 'undecided']);

/** What one report says: the recipe's own variant, the shipped one, and whether that is slower. */
export function rowOf(model, target, report) {
  const { shipped, evidence, because, variants } = report.execution;
  const [recipe] = variants;
  const own = variants.find((variant) => variant.shipped);
  return {
    model,
    target,
    evidence: evidence.kind,
    recipe: recipe.execution,
    recipeRatio: span(recipe),
    shipped,
    // The original itself is as fast as the original.
    shippedRatio: own === undefined ? '1' : span(own),
    isSlower: own === undefined ? shipped !== 'original' : SLOWER.has(own.verdict),
    because,
  };
}

function span({ ratio, ratioLow, ratioHigh }) {
  return `${fixed(ratio)} (${fixed(ratioLow)} to ${fixed(ratioHigh)})`;
}

async function main() {
  const given = parseArgs({ options }).values;
  const say = (text) => (given.json ? process.stderr : process.stdout).write(`${text}\n`);
  if (given.help) return say(usage);
  const chosen = chosenOf(given.models);
  const targets = listTargets().filter(chosenOf(given.targets));
  const entries = suite(root, given.zoo).filter(({ name }) => chosen(name));
  if (targets.length === 0 || entries.length === 0) throw new UsageError('nothing of that name to measure');
  const counts = { calibrationSamples: Number(given['calibration-samples']), evaluationSamples: Number(given.limit) };
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-never-slower-'));
  const rows = [];
  try {
    for (const entry of entries) {
      if (entry.absent !== undefined) {
        say(`${entry.name}: not measured, ${entry.absent}`);
        continue;
      }
      const samples = await entry.writeSamples(join(folder, entry.name), counts);
      for (const target of targets) {
        const output = join(folder, 'run');
        rmSync(output, { recursive: true, force: true });
        mkdirSync(output);
        const run = await compressRun(
          entry.model,
          {
            target,
            recipe: given.recipe,
            output: join(output, 'out'),
            calibration: samples.calibration.path,
            evaluation: samples.evaluation.path,
            ...(samples.preprocess === undefined ? {} : { preprocess: samples.preprocess }),
            cacheFolder: join(folder, 'cache'),
          },
          output,
        );
        rows.push(rowOf(entry.name, target, run.report));
        say(`${entry.name} for ${target}: ${rows.at(-1).because}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const header = [
    'model',
    'target',
    'evidence',
    "recipe's",
    'its time / original',
    'shipped',
    'its time / original',
    '',
  ];
  const cells = rows.map((row) => [
    row.model,
    row.target,
    row.evidence,
    row.recipe,
    row.recipeRatio,
    row.shipped,
    row.shippedRatio,
    row.isSlower ? 'SLOWER' : '',
  ]);
  say(`\n${table(header, cells)}`);
  if (given.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  const slower = rows.filter(({ isSlower }) => isSlower).length;
  say(`\n${rows.length - slower} of ${rows.length} are not slower than the original`);
  if (slower > 0) process.exitCode = 1;
}

function chosenOf(list) {
  const names = list?.split(',');
  return (name) => names === undefined || names.includes(name);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    if (!(error instanceof UsageError) && error.code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw error;
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    process.exitCode = 2;
  });
}

// Leave-one-network-out errors of every profile beside those of the published description, what the bands cover, int8 twins
// and calibration from few networks: npm run bench:latency [-- --nested] [-- --score rows.jsonl --networks networks.json]
import { parseArgs } from 'node:util';
import { logPredict } from '../../src/latency/fit-coefficients.ts';
import { type CrossValidation, crossValidate, fitFloats, fitInt8, type Residual } from './cross-validate.ts';
import { bandCoverage, type ErrorSummary, errorBands, errorSummary, quantile } from './error-bands.ts';
import { simulateCalibration } from './few-shot.ts';
import { nestedValidation } from './nested-validation.ts';
import { readmeKey, readmeTable } from './readme-table.ts';
import { OUTSIDE, type Run, readNetworks, readRuns, sharedAvailable } from './shared-rows.ts';

const { values } = parseArgs({
  options: { score: { type: 'string' }, networks: { type: 'string' }, nested: { type: 'boolean' } },
});
if (!sharedAvailable) {
  console.log('skipped: the published rows are not beside the project (../shared/latency)');
  process.exit(0);
}
const networks = readNetworks();
const runs = readRuns(networks);
const floats = runs.filter((run) => run.precision !== 'int8');

console.log('Leave-one-network-out, floating point: median / within 10 % / within 20 % / p90, in %');
const validation = crossValidate(runs, networks);
compare(validation.floats, true);

console.log('Pooled');
pooled(validation);

console.log('Calibrated from k networks of the board (prior from other boards)');
for (const kind of ['same', 'other'] as const) {
  for (const k of [1, 3, 5]) {
    const residuals = simulateCalibration(floats, networks, k, kind);
    const ends = [0.03, 0.97].map((share) =>
      quantile(
        residuals.map(({ log }) => log),
        share,
      ).toFixed(2),
    );
    line(`k = ${k}, prior of ${kind} arithmetic`, residuals, `log residuals ${ends.join(' to ')} hold 94 %`);
  }
}

const everything = fitFloats(floats, networks);
const outside = floats.flatMap((run) => residualsOf(run, everything.get(run.key)!, (network) => network === OUTSIDE));
const times = [0.05, 0.5, 0.95].map((share) =>
  Math.exp(
    quantile(
      outside.map(({ log }) => log),
      share,
    ),
  ).toFixed(1),
);
console.log(
  `Outside the evidence: ${OUTSIDE} takes ${times.join(' / ')} times its prediction (5, 50, 95 % of ${outside.length} rows)`,
);

if (values.nested === true) {
  console.log('The weight of the family and the costs chosen anew for each left-out network, from the others alone');
  for (const precision of ['fp32', 'fp16'] as const) {
    const { residuals, chosen } = nestedValidation(runs, networks, precision);
    const counts = Object.entries(chosen).map(([name, count]) => `${name} for ${count}`);
    line(`${precision} boards`, residuals, `${covers(residuals).text}; ${counts.join(', ')}`);
    compare(residuals);
  }
}

if (values.score !== undefined) score(values.score, values.networks);

/** Each run beside the published table; prints how many are no worse, and with `rows` every one of them. */
function compare(residuals: readonly Residual[], rows = false): void {
  let medians = 0;
  let within = 0;
  const judged = floats.filter((run) => residuals.some(({ key }) => key === run.key));
  for (const run of judged) {
    const own = errorSummary(residuals.filter(({ key }) => key === run.key));
    const bar = readmeTable[readmeKey(run)]!;
    const [median, , within20] = percents(own);
    if (median! <= bar[0]) medians += 1;
    if (within20! >= bar[2]) within += 1;
    const name = `${readmeKey(run)} ${run.precision}`.padEnd(32);
    if (rows) console.log(`  ${name}${percents(own).join(' / ').padEnd(20)} published ${bar.join(' / ')}`);
  }
  const { length } = judged;
  console.log(`  no worse than published: median in ${medians} of ${length}, within 20 % in ${within} of ${length}`);
}

function pooled({ floats: all, int8, twins, strictTwins }: CrossValidation): void {
  const sets: [string, readonly Residual[]][] = [
    ['fp32 boards', all.filter(({ key }) => key.endsWith('fp32'))],
    ['fp16 boards', all.filter(({ key }) => key.endsWith('fp16'))],
    ['int8', int8],
  ];
  let covered = 0;
  let rows = 0;
  for (const [name, residuals] of sets) {
    const count = covers(residuals);
    covered += count.covered;
    rows += count.rows;
    line(name, residuals, count.text);
  }
  console.log(`  90 % bands of all pooled rows hold ${covered} of ${rows} (${((100 * covered) / rows).toFixed(1)} %)`);
  line('int8 given the measured original', strictTwins, covers(strictTwins).text);
  line('  its float row in the fit', twins, covers(twins).text);
}

function covers(residuals: readonly Residual[]): { covered: number; rows: number; text: string } {
  const counts = [...bandCoverage(residuals).values()];
  const covered = counts.reduce((sum, count) => sum + count.covered, 0);
  const rows = counts.reduce((sum, count) => sum + count.rows, 0);
  const bands = [...errorBands(residuals).values()];
  const middle = (pick: 'lowRatio' | 'highRatio') =>
    Math.round(
      100 *
        (quantile(
          bands.map((band) => band[pick]),
          0.5,
        ) -
          1),
    );
  const text = `bands hold ${covered} of ${rows} (${((100 * covered) / rows).toFixed(1)} %), the middle one ${middle('lowRatio')} % to +${middle('highRatio')} %`;
  return { covered, rows, text };
}

function line(name: string, residuals: readonly Residual[], more = ''): void {
  const summary = errorSummary(residuals);
  console.log(`  ${name.padEnd(34)}${percents(summary).join(' / ').padEnd(20)} ${summary.rows} rows  ${more}`);
}

function percents({ medianError, within10, within20, p90Error }: ErrorSummary): number[] {
  return [medianError, within10, within20, p90Error].map((value) => Math.round(100 * value));
}

function residualsOf(
  run: Run,
  logCoefficients: readonly number[],
  use: (network: string) => boolean,
  from = networks,
): Residual[] {
  return run.rows
    .filter(({ network }) => use(network))
    .map(({ network, latencyMs }) => ({
      key: run.key,
      network,
      log: Math.log(latencyMs) - logPredict(from.get(network)!.features, logCoefficients),
    }));
}

/** The profiles as they are fitted, on rows of networks that they never saw. */
function score(rowsPath: string, networksPath: string | undefined): void {
  const others = networksPath === undefined ? networks : readNetworks(networksPath);
  const judged = readRuns(others, rowsPath);
  const int8 = runs.filter((run) => run.precision === 'int8');
  const int8Fit = fitInt8(int8, floats, everything, networks).logCoefficients;
  const isNew = (network: string) => !networks.has(network);
  for (const [precision, fit, own] of [
    ['fp32', everything, validation.floats.filter(({ key }) => key.endsWith('fp32'))],
    ['fp16', everything, validation.floats.filter(({ key }) => key.endsWith('fp16'))],
    ['int8', int8Fit, validation.int8],
  ] as const) {
    const residuals = judged
      .filter((run) => run.precision === precision && fit.has(run.key))
      .flatMap((run) => residualsOf(run, fit.get(run.key)!, isNew, others));
    if (residuals.length === 0) continue;
    const bands = errorBands(own);
    const inside = residuals.filter(({ key, log }) => {
      const { lowRatio, highRatio } = bands.get(key)!;
      return log >= Math.log(lowRatio) && log <= Math.log(highRatio);
    }).length;
    line(`kept aside, ${precision}`, residuals, `bands hold ${inside} of ${residuals.length}`);
  }
}

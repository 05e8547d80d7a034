// Fits the latency profiles of src/targets/*.json to the published rows beside the project: npm run fit:latency
import { readFileSync, writeFileSync } from 'node:fs';
import { costFeatures } from '../../src/targets/cost-features.ts';
import type { LatencyProfile, LatencyTransfer } from '../../src/targets/latency-schema.ts';
import { listTargets, loadTarget } from '../../src/targets/load-target.ts';
import { crossValidate, fitFloats, fitInt8, floatOf, type Residual, TWIN_CARRY } from './cross-validate.ts';
import { onnxruntimeTransfers } from './engine-transfers.ts';
import { bandCoverage, COVERAGE, errorBands, errorSummary } from './error-bands.ts';
import { errorTable, withTable } from './error-table.ts';
import { OUTSIDE, type Run, readNetworks, readRuns, sharedAvailable } from './shared-rows.ts';

/** Boards whose rows a target may use. Little cores are left out: nobody would choose them. */
const boardsOf: Readonly<Record<string, readonly string[]>> = {
  'rpi3b+': ['rpi3b+'],
  'rpi-zero2w': ['rpi-zero2w'],
  rpi4: ['rpi4b'],
  rpi5: ['rpi5'],
  'jetson-nano': ['jetson-nano'],
  'jetson-orin-nano': ['jetson-orin-nano'],
  rk3588: ['rk3588', 'rk3588-b', 'rk3588s-m3', 'orangepi5', 'orangepi5plus'],
};

if (!sharedAvailable) throw new Error('the published rows are not beside the project (../shared/latency)');
const networks = readNetworks();
const runs = readRuns(networks);
const floats = runs.filter((run) => run.precision !== 'int8');
const int8 = runs.filter((run) => run.precision === 'int8');
const floatFit = fitFloats(floats, networks);
const int8Fit = fitInt8(int8, floats, floatFit, networks);
const validation = crossValidate(runs, networks);

const byPrecision = (precision: string) => validation.floats.filter(({ key }) => key.endsWith(precision));
const judged = [byPrecision('fp32'), byPrecision('fp16'), validation.int8].map(judge);
const judgedTwins = judge(validation.strictTwins);

for (const [target, boards] of Object.entries(boardsOf)) {
  const profiles = runs
    .filter((run) => boards.includes(run.device) && run.cores !== 'little')
    .map(profileOf)
    .sort((a, b) => a.board.localeCompare(b.board) || a.precision.localeCompare(b.precision) || a.threads - b.threads);
  const transfers = onnxruntimeTransfers(
    target,
    profiles.some(({ precision }) => precision === 'fp32') ? 'fp32' : 'fp16',
  );
  writeTarget(target, { profiles, transfers });
  console.log(`${target}: ${profiles.length} profiles`);
}

const page = new URL('../../docs/predicting.md', import.meta.url);
writeFileSync(page, withTable(readFileSync(page, 'utf8'), errorTable(listTargets().map((name) => loadTarget(name)))));

interface Judged {
  readonly bands: ReturnType<typeof errorBands>;
  readonly coverage: ReturnType<typeof bandCoverage>;
  readonly residuals: readonly Residual[];
}

function judge(residuals: readonly Residual[]): Judged {
  return { bands: errorBands(residuals), coverage: bandCoverage(residuals), residuals };
}

function verdict(key: string, { bands, coverage, residuals }: Judged): Pick<LatencyProfile, 'band' | 'error'> {
  const { lowRatio, highRatio } = bands.get(key)!;
  const { covered, rows } = coverage.get(key)!;
  const { rows: count, ...error } = errorSummary(residuals.filter((residual) => residual.key === key));
  return {
    band: { lowRatio: round(lowRatio), highRatio: round(highRatio), coverage: COVERAGE, rowsCovered: covered, rows },
    error: { rows: count, ...mapValues(error, round) },
  };
}

function profileOf(run: Run): LatencyProfile {
  const logCoefficients = (run.precision === 'int8' ? int8Fit.logCoefficients : floatFit).get(run.key)!;
  const rows = run.rows.filter(({ network }) => network !== OUTSIDE);
  // Int8 coefficients start from the floating point ones, so they rest on those networks too.
  const seen =
    run.precision === 'int8' ? [...rows, ...floatOf(run, floats).rows.filter((row) => row.network !== OUTSIDE)] : rows;
  const features = seen.map(({ network }) => networks.get(network)!.features);
  const latencies = rows.map(({ latencyMs }) => latencyMs);
  return {
    engine: 'ncnn',
    engineVersion: run.version,
    precision: run.precision,
    threads: run.threads,
    cores: run.cores,
    osBits: run.osBits as 32 | 64 | null,
    board: run.device,
    origin: 'published',
    coefficientsMs: perFeature((f) => round(Math.exp(logCoefficients[f]!))),
    range: {
      latencyMs: { min: round(Math.min(...latencies)), max: round(Math.max(...latencies)) },
      features: perFeature((f) => {
        const values = features.map((row) => row[f]!);
        return { min: round(Math.min(...values)), max: round(Math.max(...values)) };
      }),
    },
    ...verdict(run.key, judged.find(({ bands }) => bands.has(run.key))!),
    ...(run.precision === 'int8' ? { int8Twin: twinOf(run) } : {}),
    source: run.source,
  };
}

function twinOf(run: Run): NonNullable<LatencyProfile['int8Twin']> {
  const [products1x1, products3x3, rest] = int8Fit.logRatios.get(run.key)!.map((log) => round(Math.exp(log)));
  return {
    ratios: { products1x1: products1x1!, products3x3: products3x3!, rest: rest! },
    carry: TWIN_CARRY,
    ...verdict(run.key, judgedTwins),
  };
}

function writeTarget(name: string, latency: { profiles: LatencyProfile[]; transfers: LatencyTransfer[] }): void {
  const path = new URL(`../../src/targets/${name}.json`, import.meta.url);
  const { notes, sources, unchecked, latency: _old, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, `${JSON.stringify({ ...rest, latency, notes, sources, unchecked }, null, 2)}\n`);
}

function perFeature<Value>(value: (index: number) => Value): Record<(typeof costFeatures)[number], Value> {
  return Object.fromEntries(costFeatures.map((name, f) => [name, value(f)])) as Record<
    (typeof costFeatures)[number],
    Value
  >;
}

function mapValues<Key extends string>(
  record: Record<Key, number>,
  change: (value: number) => number,
): Record<Key, number> {
  return Object.fromEntries(Object.entries<number>(record).map(([key, value]) => [key, change(value)])) as Record<
    Key,
    number
  >;
}

/** Five significant digits. */
function round(value: number): number {
  return Number(value.toPrecision(5));
}

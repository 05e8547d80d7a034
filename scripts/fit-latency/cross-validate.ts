import { fitCoefficients, logPredict } from '../../src/latency/fit-coefficients.ts';
import { twinLogLatency, twinParts } from '../../src/latency/int8-twin.ts';
import { costFeatures } from '../../src/targets/cost-features.ts';
import { fitDeviceFamily, type MeasuredDevice } from './fit-device-family.ts';
import { type Network, OUTSIDE, type Run } from './shared-rows.ts';

/**
 * What a coefficient may differ between boards against the noise of one row, by precision. True fp32 kernels are regular,
 * so each board's rows are believed; fp16 rows scatter twice as much, and a board is drawn to its family.
 */
export const priorWeights = { fp32: 0.01, fp16: 0.3, int8: 0.05 } as const;
/** Of the networks' own deviation in floating point, how much their int8 twins share. */
export const TWIN_CARRY = 0.5;
const TWIN_RATIO_WEIGHT = 0.01;
const ROUNDS = 5;

export type Coefficients = ReadonlyMap<string, readonly number[]>;

/** Boards whose coefficients are drawn together: of one arithmetic and, for floats, on one core or several. */
export function familyOf(run: Run, floats: readonly Run[]): string {
  if (run.precision !== 'int8') return `${run.precision} ${run.threads > 1 ? 'many' : 'one'}`;
  return `int8 over ${floatOf(run, floats).precision}`;
}

/** The floating point run of the same benchmark. */
export function floatOf(run: Run, floats: readonly Run[]): Run {
  const name = run.key.split(' ')[0];
  return floats.find((other) => other.key.split(' ')[0] === name)!;
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

type Networks = ReadonlyMap<string, Network>;

function measured(run: Run, networks: Networks, use: (network: string) => boolean): MeasuredDevice {
  const rows = run.rows.filter(({ network }) => network !== OUTSIDE && use(network));
  return {
    key: run.key,
    rows: rows.map(({ network }) => networks.get(network)!.features),
    logLatency: rows.map(({ latencyMs }) => Math.log(latencyMs)),
  };
}

/** Log coefficients of every floating point run, from the networks that `use` allows. */
export function fitFloats(
  floats: readonly Run[],
  networks: Networks,
  use: (network: string) => boolean = () => true,
  weights: Partial<Record<'fp32' | 'fp16', number>> = {},
): Coefficients {
  const all = new Map<string, readonly number[]>();
  for (const family of groupBy(floats, (run) => familyOf(run, floats))) {
    const precision = family[0]!.precision as 'fp32' | 'fp16';
    const devices = family.map((run) => measured(run, networks, use));
    const { fits } = fitDeviceFamily(devices, { priorWeight: weights[precision] ?? priorWeights[precision] });
    for (const [key, fit] of fits) all.set(key, fit.logCoefficients);
  }
  return all;
}

export interface Int8Fit {
  /** Of the int8 run's own model. */
  readonly logCoefficients: Coefficients;
  /** Of the ratios to floating point: products 1×1, products 3×3, the rest. */
  readonly logRatios: Coefficients;
}

/**
 * Int8 runs have five or six networks, so they start from the floating point coefficients of their board, shifted as the
 * whole family is. A network's deviation from the floating point model is carried over in part: what a board does to a
 * network in floats it mostly does to it in int8 as well.
 */
export function fitInt8(
  runs: readonly Run[],
  floats: readonly Run[],
  floatCoefficients: Coefficients,
  networks: Networks,
  use: (network: string) => boolean = () => true,
): Int8Fit {
  const logCoefficients = new Map<string, readonly number[]>();
  const logRatios = new Map<string, readonly number[]>();
  const boards = runs.map((run) => {
    const float = floatOf(run, floats);
    const rows = run.rows.filter(({ network }) => use(network));
    return {
      key: run.key,
      family: familyOf(run, floats),
      several: run.threads > 1,
      base: floatCoefficients.get(float.key)!,
      features: rows.map(({ network }) => networks.get(network)!.features),
      logs: rows.map(({ latencyMs }) => Math.log(latencyMs)),
      originals: rows.map(({ network }) => Math.log(float.rows.find((row) => row.network === network)!.latencyMs)),
    };
  });
  for (const family of groupBy(boards, (board) => board.family)) {
    let shift = new Array<number>(costFeatures.length).fill(0);
    for (let round = 0; round < ROUNDS; round++) {
      const sum = shift.map(() => 0);
      for (const { key, base, features, logs, originals } of family) {
        const own = logs.map((log, i) => log - TWIN_CARRY * (originals[i]! - logPredict(features[i]!, base)));
        const logPrior = base.map((value, f) => value + shift[f]!);
        const fit = fitCoefficients(features, own, { logPrior, priorWeight: priorWeights.int8, scaleWeight: 0.01 });
        logCoefficients.set(key, fit.logCoefficients);
        fit.logCoefficients.forEach((value, f) => {
          sum[f]! += value - base[f]!;
        });
      }
      shift = sum.map((value) => value / family.length);
    }
  }
  for (const family of groupBy(boards, (board) => `${board.family} ${board.several}`)) {
    let mean = [0, 0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const sum = [0, 0, 0];
      for (const { key, base, features, logs, originals } of family) {
        const shares = features.map((row) => twinParts(row, base));
        const ratios = logs.map((log, i) => log - originals[i]!);
        const fit = fitCoefficients(shares, ratios, {
          logPrior: mean,
          priorWeight: TWIN_RATIO_WEIGHT,
          scaleWeight: 0.1,
        });
        logRatios.set(key, fit.logCoefficients);
        fit.logCoefficients.forEach((value, k) => {
          sum[k]! += value;
        });
      }
      mean = sum.map((value) => value / family.length);
    }
  }
  return { logCoefficients, logRatios };
}

/** A left-out prediction: natural logarithm of measured over predicted. */
export interface Residual {
  readonly key: string;
  readonly network: string;
  readonly log: number;
}

export interface CrossValidation {
  readonly floats: readonly Residual[];
  readonly int8: readonly Residual[];
  /** Int8 given the measured original; `strict` has the original's row left out of the floating point fit as well. */
  readonly twins: readonly Residual[];
  readonly strictTwins: readonly Residual[];
}

/** Leaves each network out of every run at once, fits everything without it, and predicts it. */
export function crossValidate(runs: readonly Run[], networks: Networks): CrossValidation {
  const floatRuns = runs.filter((run) => run.precision !== 'int8');
  const int8Runs = runs.filter((run) => run.precision === 'int8');
  const names = new Set(floatRuns.flatMap((run) => run.rows.map((row) => row.network)));
  names.delete(OUTSIDE);
  const everything = fitFloats(floatRuns, networks);
  const floats: Residual[] = [];
  const int8: Residual[] = [];
  const twins: Residual[] = [];
  const strictTwins: Residual[] = [];
  for (const name of names) {
    const features = networks.get(name)!.features;
    const without = fitFloats(floatRuns, networks, (network) => network !== name);
    for (const run of floatRuns) {
      const row = run.rows.find(({ network }) => network === name);
      if (row === undefined) continue;
      const log = Math.log(row.latencyMs) - logPredict(features, without.get(run.key)!);
      floats.push({ key: run.key, network: name, log });
    }
    if (!int8Runs.some((run) => run.rows.some((row) => row.network === name))) continue;
    for (const [base, own, list] of [
      [everything, undefined, twins],
      [without, int8, strictTwins],
    ] as const) {
      const fit = fitInt8(int8Runs, floatRuns, base, networks, (network) => network !== name);
      for (const run of int8Runs) {
        const row = run.rows.find(({ network }) => network === name);
        if (row === undefined) continue;
        const float = floatOf(run, floatRuns);
        const original = Math.log(float.rows.find(({ network }) => network === name)!.latencyMs);
        const coefficients = fit.logCoefficients.get(run.key)!;
        const twin = twinLogLatency(features, original, {
          float: base.get(float.key)!,
          int8: coefficients,
          ratios: fit.logRatios.get(run.key)!,
          carry: TWIN_CARRY,
        });
        const log = Math.log(row.latencyMs);
        list.push({ key: run.key, network: name, log: log - twin });
        own?.push({ key: run.key, network: name, log: log - logPredict(features, coefficients) });
      }
    }
  }
  return { floats, int8, twins, strictTwins };
}

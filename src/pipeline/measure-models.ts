import { type Logger, type Progress, silentLogger } from '../diagnostics/logger.ts';
import { pairedLatencyRatio, summarizeLatency } from '../evaluation/latency-statistics.ts';
import type { BenchMeasurement } from '../report/bench-schema.ts';
import type { Throttling } from '../runtime/board-state.ts';
import type { Engine } from '../runtime/engine.ts';
import { loadBetween } from '../runtime/host-load.ts';
import type { LatencyMeasurement, LatencyRun } from '../runtime/latency.ts';
import type { Machine } from '../runtime/machine.ts';
import type { BenchModel } from './open-bench-model.ts';
import { benchSession } from './try-model.ts';

export interface MeasureModelsOptions {
  /** That runs the engine. */
  readonly machine: Machine;
  readonly threads: number;
  readonly rounds: number;
  readonly warmup: number;
  readonly maxSeconds: number;
  /** In percent; 0 never stops early. */
  readonly precision: number;
  readonly seed: number;
  readonly logger?: Logger;
  readonly signal?: AbortSignal | undefined;
}

/** About the length of a turn: long against the switch between models, short against changes of the host's load. */
export const BENCH_TURN_MS = 20;
const MAX_RUNS_PER_TURN = 50;
const MIN_ROUNDS = 5;
/** An interval of fewer rounds is too coarse to stop for. */
const MIN_ROUNDS_TO_STOP = 20;
/** The ends of the intervals only decide here whether to go on. */
const QUICK_RESAMPLES = 400;

/** Times all models in turns with one number of threads. */
export async function measureModels(
  engine: Engine,
  models: readonly BenchModel[],
  options: MeasureModelsOptions,
): Promise<BenchMeasurement> {
  const { machine, threads, rounds, warmup, maxSeconds, precision, seed, logger = silentLogger, signal } = options;
  const candidates = [];
  for (const model of models) {
    const session = await engine.load(model.onnxPath, { ...benchSession(threads), label: model.label });
    candidates.push({ label: model.label, session, feeds: await model.feeds(session.inputs) });
  }
  const before = await machine.state(engine);
  const progress = roundsProgress(logger, threads, { rounds, maxSeconds });
  const run = await engine
    .measureLatency(candidates, {
      rounds,
      minRounds: MIN_ROUNDS,
      warmup,
      maxSeconds,
      turnMs: BENCH_TURN_MS,
      maxRunsPerTurn: MAX_RUNS_PER_TURN,
      seed,
      signal,
      enough: (soFar) => {
        progress.update(soFar);
        return precision > 0 && isPrecise(soFar.candidates, precision / 100, seed);
      },
    })
    .finally(() => progress.done());
  const after = await machine.state(engine);
  const load = loadBetween(before.load, after.load);
  for (const { session } of candidates) await session.release();
  return {
    threads,
    rounds: run.orders.length,
    stopped: run.stopped === 'enough' ? 'precision' : run.stopped,
    elapsedMs: run.elapsedMs,
    orders: run.orders.map((order) => [...order]),
    load: {
      loadAverage: before.loadAverage ?? null,
      otherBusyCores: load.otherBusyCores ?? null,
      stealShare: load.stealShare ?? null,
      frequencyMhz: { before: before.frequency.currentMhz ?? null, after: after.frequency.currentMhz ?? null },
      temperatureC: { before: before.board.temperatureC ?? null, after: after.board.temperatureC ?? null },
      throttling: throttlingBetween(before.board.throttling, after.board.throttling),
    },
    models: run.candidates.map((candidate, i) => summarize(candidate, i === 0 ? undefined : run.candidates[0], seed)),
  };
}

/** What slowed the board down from the first round to the last; null where it does not tell. */
function throttlingBetween(
  before: Throttling | undefined,
  after: Throttling | undefined,
): BenchMeasurement['load']['throttling'] {
  if (before === undefined || after === undefined) return null;
  const newly = after.sinceBoot.filter((cause) => !before.sinceBoot.includes(cause));
  return { during: [...new Set([...before.now, ...after.now, ...newly])], sinceBoot: [...after.sinceBoot] };
}

function summarize(
  { label, roundsMs }: LatencyMeasurement,
  first: LatencyMeasurement | undefined,
  seed: number,
): BenchMeasurement['models'][number] {
  const { median, p90, p99, minMs, maxMs, roundVariation, drift, blockLength } = summarizeLatency(roundsMs, { seed });
  const ratio = first === undefined ? null : pairedLatencyRatio(roundsMs, first.roundsMs, { seed });
  return {
    label,
    median,
    p90,
    p99,
    minMs,
    maxMs,
    ratio: ratio === null ? null : { value: ratio.ratio, interval: ratio.interval },
    roundVariation,
    drift,
    blockLength,
    // To the nanosecond: the clock knows no more, and the JSON stays half as long.
    roundsMs: roundsMs.map((round) => Array.from(round, (ms) => Math.round(ms * 1e6) / 1e6)),
  };
}

/** Whether all medians and ratios are known within ± `share` of their value. */
function isPrecise(candidates: readonly LatencyMeasurement[], share: number, seed: number): boolean {
  const [first] = candidates;
  if (first === undefined || first.roundsMs.length < MIN_ROUNDS_TO_STOP) return false;
  const options = { seed, resamples: QUICK_RESAMPLES };
  const within = (value: number, interval: { low: number; high: number } | null) =>
    interval !== null && (interval.high - interval.low) / 2 <= share * value;
  return candidates.every(({ roundsMs }, i) => {
    const { median } = summarizeLatency(roundsMs, options);
    if (!within(median.valueMs, median.interval)) return false;
    if (i === 0) return true;
    const { ratio, interval } = pairedLatencyRatio(roundsMs, first.roundsMs, options);
    return within(ratio, interval);
  });
}

/** Progress over the rounds that the time allows for; how many those are is known after the first report. */
function roundsProgress(
  logger: Logger,
  threads: number,
  { rounds, maxSeconds }: { readonly rounds: number; readonly maxSeconds: number },
) {
  let progress: Progress | undefined;
  return {
    update({ orders, elapsedMs }: LatencyRun) {
      const perRoundMs = elapsedMs / orders.length;
      const expected = Math.max(1, Math.min(rounds, Math.ceil((maxSeconds * 1000) / perRoundMs)));
      progress ??= logger.progress(`Timing with ${threads} ${threads === 1 ? 'thread' : 'threads'}, round`, expected);
      progress.update(orders.length);
    },
    done: () => progress?.done(),
  };
}

import type { Measured } from '../budget/evidence.ts';
import type { Logger } from '../diagnostics/logger.ts';
import { medianOfBatches } from '../evaluation/latency-statistics.ts';
import { type Engine, startEngine } from '../runtime/engine.ts';
import { quantileOf } from '../runtime/latency.ts';
import type { BenchModel } from './open-bench-model.ts';
import { benchSession } from './try-model.ts';

/** The runs of each round of each model. */
type Batch = readonly (readonly Float64Array[])[];

export interface ComparedLatency {
  /** In the order of the models. */
  readonly mediansMs: readonly Measured[];
  /** Each model after the first as a multiple of that. */
  readonly ratios: readonly Measured[];
  /** All runs of each model, by round, in milliseconds. */
  readonly roundsMs: readonly (readonly Float64Array[])[];
  readonly batches: number;
  readonly rounds: number;
}

/** A model in a file, and what it is run on. */
export type TimedModel = Pick<BenchModel, 'label' | 'onnxPath' | 'feeds'>;

export interface CompareLatencyOptions {
  /** Starts a process of the engine where the models are to be timed; on this host by default. */
  readonly start?: () => Promise<Engine>;
  /** About the length of a turn. Default 20 ms. */
  readonly turnMs?: number;
  /** Runs of each model before the first round of a batch. Default 3. */
  readonly warmup?: number;
  readonly threads: number;
  readonly maxSeconds: number;
  readonly seed: number;
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
  /** Whether what is known suffices. */
  readonly isDecided: (soFar: ComparedLatency) => boolean;
}

const BATCH_ROUNDS = 10;
/** Of five batches all lie on one side of the truth in 6 % of cases. */
const MIN_BATCHES = 5;
const MAX_BATCHES = 100;
const TURN_MS = 20;

/**
 * Times one model, or several in turns, until what is known suffices or the time is up; at least five batches. Every batch has a
 * process of the engine of its own and loads the models in another order: where memory happens to lie makes two sessions
 * of the same model differ by about a percent for as long as they live, and only new sessions show how much.
 */
export async function compareLatency(
  models: readonly TimedModel[],
  options: CompareLatencyOptions,
): Promise<ComparedLatency> {
  const { maxSeconds, seed, logger, signal, isDecided } = options;
  const measured: Batch[] = [];
  const startMs = performance.now();
  const progress = logger.progress('Measuring latency until it is decided, seconds', Math.ceil(maxSeconds));
  try {
    for (let batch = 0; ; batch++) {
      signal?.throwIfAborted();
      const leftSeconds = maxSeconds - (performance.now() - startMs) / 1000;
      const share = leftSeconds / Math.max(1, MIN_BATCHES - batch);
      const settings = { ...options, maxSeconds: Math.max(0.5, share) };
      measured.push(await measureBatch(models, batch, settings));
      progress.update(Math.min(Math.ceil(maxSeconds), Math.round((performance.now() - startMs) / 1000)));
      if (batch + 1 < MIN_BATCHES) continue;
      const soFar = summarize(measured, seed);
      const isOver = performance.now() - startMs >= maxSeconds * 1000;
      if (isOver || batch + 1 >= MAX_BATCHES || isDecided(soFar)) return soFar;
    }
  } finally {
    progress.done();
  }
}

async function measureBatch(
  models: readonly TimedModel[],
  batch: number,
  { start, threads, turnMs = TURN_MS, warmup = 3, maxSeconds, seed, signal, logger }: CompareLatencyOptions,
): Promise<Batch> {
  const order = models.map((_, i) => i);
  if (batch % 2 === 1) order.reverse();
  const engine = await (start === undefined ? startEngine({ logger }) : start());
  try {
    const candidates = [];
    for (const i of order) {
      const { onnxPath, label, feeds } = models[i]!;
      const session = await engine.load(onnxPath, { ...benchSession(threads), label });
      candidates.push({ label, session, feeds: await feeds(session.inputs) });
    }
    const run = await engine.measureLatency(candidates, {
      rounds: BATCH_ROUNDS,
      minRounds: 2,
      warmup,
      maxSeconds,
      turnMs,
      seed: seed + batch,
      signal,
    });
    return models.map((_, i) => run.candidates[order.indexOf(i)]!.roundsMs);
  } finally {
    await engine.close();
  }
}

/** The lower quartile of each turn: other programs only ever add time, and on a busy machine to more than half of the runs. */
function turnTimes(rounds: readonly Float64Array[]): Float64Array {
  return Float64Array.from(rounds, (runs) => quantileOf(runs, 0.25));
}

function summarize(batches: readonly Batch[], seed: number): ComparedLatency {
  const estimate = (values: readonly Float64Array[]): Measured => {
    const { value, interval } = medianOfBatches(values, { seed });
    return { value, ...interval };
  };
  const [first] = batches;
  const mediansMs = first!.map((_, model) =>
    estimate(batches.map((batch) => Float64Array.from(batch[model]!.flatMap((round) => Array.from(round))))),
  );
  const ratioOf = (model: number): Measured =>
    estimate(
      batches.map((batch) => {
        const before = turnTimes(batch[0]!);
        return turnTimes(batch[model]!).map((ms, round) => ms / before[round]!);
      }),
    );
  return {
    mediansMs,
    ratios: first!.slice(1).map((_, i) => ratioOf(i + 1)),
    roundsMs: first!.map((_, model) => batches.flatMap((batch) => batch[model]!)),
    batches: batches.length,
    rounds: batches.reduce((sum, batch) => sum + batch[0]!.length, 0),
  };
}

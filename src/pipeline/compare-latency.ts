import type { Measured } from '../budget/evidence.ts';
import type { Logger } from '../diagnostics/logger.ts';
import { studentQuantile } from '../evaluation/bootstrap-interval.ts';
import { pairedLatencyRatio, summarizeLatency } from '../evaluation/latency-statistics.ts';
import { startEngine } from '../runtime/engine.ts';
import type { BenchModel } from './open-bench-model.ts';
import { benchSession } from './try-model.ts';

export interface ComparedLatency {
  /** In the order of the models. */
  readonly mediansMs: readonly Measured[];
  /** The last model as a multiple of the first; undefined of one model. */
  readonly ratio: Measured | undefined;
  readonly batches: number;
  readonly rounds: number;
}

export interface CompareLatencyOptions {
  readonly threads: number;
  readonly maxSeconds: number;
  readonly seed: number;
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
  /** Whether what is known suffices. */
  readonly isDecided: (soFar: ComparedLatency) => boolean;
}

const BATCH_ROUNDS = 15;
const MIN_BATCHES = 3;
const MAX_BATCHES = 40;
const TURN_MS = 20;

/**
 * Times one model, or two in turns, until what is known suffices or the time is up; at least three batches. Every batch has a
 * process of the engine of its own and loads the models in another order: where memory happens to lie makes two sessions
 * of the same model differ by about a percent for as long as they live, and only new sessions show how much.
 */
export async function compareLatency(
  models: readonly BenchModel[],
  { threads, maxSeconds, seed, logger, signal, isDecided }: CompareLatencyOptions,
): Promise<ComparedLatency> {
  const roundsMs: Float64Array[][] = models.map(() => []);
  const batchRatios: number[] = [];
  const startMs = performance.now();
  const progress = logger.progress('Measuring latency until it is decided, seconds', Math.ceil(maxSeconds));
  try {
    for (let batch = 0; ; batch++) {
      signal?.throwIfAborted();
      const leftSeconds = maxSeconds - (performance.now() - startMs) / 1000;
      const share = leftSeconds / Math.max(1, MIN_BATCHES - batch);
      const measured = await measureBatch(models, batch, {
        threads,
        maxSeconds: Math.max(0.5, share),
        seed,
        signal,
        logger,
      });
      for (const [i, rounds] of measured.entries()) roundsMs[i]!.push(...rounds);
      if (models.length > 1)
        batchRatios.push(pairedLatencyRatio(measured.at(-1)!, measured[0]!, { resamples: 1 }).ratio);
      progress.update(Math.min(Math.ceil(maxSeconds), Math.round((performance.now() - startMs) / 1000)));
      if (batch + 1 < MIN_BATCHES) continue;
      const soFar = summarize(roundsMs, batchRatios, batch + 1, seed);
      const isOver = performance.now() - startMs >= maxSeconds * 1000;
      if (isOver || batch + 1 >= MAX_BATCHES || isDecided(soFar)) return soFar;
    }
  } finally {
    progress.done();
  }
}

async function measureBatch(
  models: readonly BenchModel[],
  batch: number,
  { threads, maxSeconds, seed, signal, logger }: Omit<CompareLatencyOptions, 'isDecided'>,
): Promise<readonly (readonly Float64Array[])[]> {
  const order = models.map((_, i) => i);
  if (batch % 2 === 1) order.reverse();
  const engine = await startEngine({ logger });
  try {
    const candidates = [];
    for (const i of order) {
      const { onnxPath, label, feeds } = models[i]!;
      const session = await engine.load(onnxPath, { ...benchSession(threads), label });
      candidates.push({ label, session, feeds: await feeds(session.inputs) });
    }
    const run = await engine.measureLatency(candidates, {
      rounds: BATCH_ROUNDS,
      warmup: 5,
      maxSeconds,
      turnMs: TURN_MS,
      seed: seed + batch,
      signal,
    });
    return models.map((_, i) => run.candidates[order.indexOf(i)]!.roundsMs);
  } finally {
    await engine.close();
  }
}

function summarize(
  roundsMs: readonly (readonly Float64Array[])[],
  batchRatios: readonly number[],
  batches: number,
  seed: number,
): ComparedLatency {
  const mediansMs = roundsMs.map((rounds) => {
    const { valueMs, interval } = summarizeLatency(rounds, { seed }).median;
    return { value: valueMs, low: interval?.low ?? valueMs, high: interval?.high ?? valueMs };
  });
  const rounds = roundsMs[0]!.length;
  if (roundsMs.length < 2) return { mediansMs, ratio: undefined, batches, rounds };
  const { ratio, interval } = pairedLatencyRatio(roundsMs.at(-1)!, roundsMs[0]!, { seed });
  const between = batchInterval(batchRatios);
  return {
    mediansMs,
    ratio: { value: ratio, low: Math.min(interval.low, between.low), high: Math.max(interval.high, between.high) },
    batches,
    rounds,
  };
}

/** Student's 95 % interval of the mean of the batches' ratios. */
function batchInterval(ratios: readonly number[]): { low: number; high: number } {
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const squares = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0);
  const degrees = ratios.length - 1;
  const half = studentQuantile(degrees) * Math.sqrt(squares / degrees / ratios.length);
  return { low: mean - half, high: mean + half };
}

import type { Measured } from '../budget/evidence.ts';
import type { PassContext } from '../passes/pass.ts';
import type { Engine } from '../runtime/engine.ts';
import type { LatencyMeasurement } from '../runtime/latency.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import type { RunSamples } from './open-samples.ts';
import { benchSession } from './try-model.ts';

/** The original and the compressed model, timed in turns. */
export interface PairedLatency {
  readonly original: LatencyMeasurement;
  readonly compressed: LatencyMeasurement;
  /** Compressed / original, where that is not the ratio of these rounds alone. */
  readonly ratio?: Measured;
}

export interface TimingInput {
  readonly modelPath: string;
  readonly samples: RunSamples;
  readonly threads: number;
  readonly engine: Engine;
  readonly context: PassContext;
  readonly seed: number;
}

/** Latency of both files in turns, in sessions as other programs load them. */
export async function timeBesideOriginal(
  { modelPath, engine, threads, samples, seed, context }: TimingInput,
  path: string,
  feeds: Feeds,
): Promise<PairedLatency> {
  const options = { ...benchSession(threads), temporary: true };
  const original = await engine.load(modelPath, { ...options, label: 'the original model' });
  const compressed = await engine.load(path, { ...options, label: 'the compressed model' });
  const { candidates } = await engine.measureLatency(
    [
      { label: 'original', session: original, feeds },
      { label: 'compressed', session: compressed, feeds },
    ],
    {
      ...(samples.evaluation === undefined
        ? { rounds: 5, warmup: 2, turnMs: 5, maxSeconds: 10 }
        : { rounds: 20, warmup: 3, maxSeconds: 10 }),
      seed,
      signal: context.signal,
    },
  );
  await original.release();
  await compressed.release();
  return { original: candidates[0]!, compressed: candidates[1]! };
}

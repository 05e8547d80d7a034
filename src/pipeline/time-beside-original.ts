import type { Measured } from '../budget/evidence.ts';
import type { PassContext } from '../passes/pass.ts';
import type { Engine } from '../runtime/engine.ts';
import type { LatencyMeasurement, LatencyOptions } from '../runtime/latency.ts';
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

/** Rounds that follow where the first ones, of which another program may have disturbed one, do not decide. */
const MORE_ROUNDS = 10;

/**
 * Latency of both files in turns, in sessions as other programs load them.
 * @param isDecided whether what was measured is enough; else more is, once.
 */
export async function timeBesideOriginal(
  { modelPath, engine, threads, samples, seed, context }: TimingInput,
  path: string,
  feeds: Feeds,
  isDecided: (measured: PairedLatency) => boolean = () => true,
): Promise<PairedLatency> {
  const options = { ...benchSession(threads), temporary: true };
  const original = await engine.load(modelPath, { ...options, label: 'the original model' });
  const compressed = await engine.load(path, { ...options, label: 'the compressed model' });
  const models = [
    { label: 'original', session: original, feeds },
    { label: 'compressed', session: compressed, feeds },
  ];
  const measure = async (rounds: number, schedule: LatencyOptions): Promise<PairedLatency> => {
    const all = { ...schedule, rounds, maxSeconds: 10, seed, signal: context.signal };
    const { candidates } = await engine.measureLatency(models, all);
    return { original: candidates[0]!, compressed: candidates[1]! };
  };
  const isShort = samples.evaluation === undefined;
  const schedule = isShort ? { warmup: 2, turnMs: 5 } : { warmup: 3 };
  let measured = await measure(isShort ? 5 : 20, schedule);
  if (!isDecided(measured)) measured = joined(measured, await measure(MORE_ROUNDS, schedule));
  await original.release();
  await compressed.release();
  return measured;
}

function joined(first: PairedLatency, second: PairedLatency): PairedLatency {
  const join = (a: LatencyMeasurement, b: LatencyMeasurement) => ({ ...a, roundsMs: [...a.roundsMs, ...b.roundsMs] });
  return {
    original: join(first.original, second.original),
    compressed: join(first.compressed, second.compressed),
  };
}

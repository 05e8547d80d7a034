import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { summarizeProfile } from '../evaluation/summarize-profile.ts';
import type { BenchProfile, BenchResult } from '../report/bench-schema.ts';
import type { Engine } from '../runtime/engine.ts';
import type { Machine } from '../runtime/machine.ts';
import type { ValueDescription } from '../runtime/session.ts';
import { dataTypeName } from '../tensor/data-type.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import type { BenchModel } from './open-bench-model.ts';

export interface TriedModel {
  readonly inputs: readonly ValueDescription[];
  readonly record: BenchResult['models'][number];
  /** Undefined unless asked for. */
  readonly profile: BenchProfile | undefined;
}

interface TryOptions {
  readonly machine: Machine;
  readonly threads: number;
  readonly profile: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Slowest nodes that are recorded. */
const MAX_NODES = 100;
/** Runs of a profile: as many as fit in a second, but few enough for the engine's record of at most a million events. */
const MAX_PROFILE_RUNS = 100;
const MAX_PROFILE_EVENTS = 200_000;
const PROFILE_MS = 1000;

/**
 * Runs a model alone in a process of the engine of its own: whether it runs at all, how much memory that takes, and where
 * asked which nodes take the time.
 * @throws EdgepackError `model-rejected` where the engine refuses it, `data-mismatch` where the inputs do not fit.
 */
export async function tryModel(model: BenchModel, options: TryOptions): Promise<TriedModel> {
  const { machine, threads, profile, signal } = options;
  const engine = await machine.startEngine();
  try {
    const engineIdleBytes = await engine.peakMemoryBytes();
    await engine.limit(model.limits);
    const session = await engine.load(model.onnxPath, { ...benchSession(threads), label: model.label });
    const feeds = await model.feeds(session.inputs);
    const once = { rounds: 1, minRounds: 1, warmup: 2, turnMs: 0, signal };
    const [trial] = (
      await engine.measureLatency([{ label: model.label, session, feeds }], once).catch((error) => {
        throw explainFailure(error, model);
      })
    ).candidates;
    const enginePeakBytes = await engine.peakMemoryBytes();
    await session.release();
    return {
      inputs: session.inputs,
      record: {
        label: model.label,
        file: model.file,
        facts: model.facts,
        inputs: Object.entries(feeds).map(([name, { dataType, dims }]) => ({
          name,
          dataType: dataTypeName(dataType),
          dims: [...dims],
        })),
        loadMs: session.loadMs,
        enginePeakBytes,
        engineIdleBytes,
      },
      profile: profile ? await profileModel(engine, model, feeds, threads, trial!.roundsMs[0]![0]!) : undefined,
    };
  } finally {
    await engine.close();
  }
}

/** Names the file; a model that loads but does not run may be right, where nobody said which inputs suit it. */
function explainFailure(error: unknown, { file, areFeedsMadeUp }: BenchModel): unknown {
  if (!(error instanceof EdgepackError) || error.code !== 'model-rejected') return error;
  const hint = areFeedsMadeUp
    ? 'Made-up inputs may not suit this model: set its open dimensions with --dim, or give a real sample with --data.'
    : error.hint;
  const details = { location: { file }, cause: error, ...(hint === undefined ? {} : { hint }) };
  return new EdgepackError(error.code, error.message, details);
}

/** How sessions are loaded to be timed: as other programs load them by default. */
export function benchSession(threads: number) {
  return { threads, memoryPattern: true, spin: true } as const;
}

async function profileModel(
  engine: Engine,
  model: BenchModel,
  feeds: Feeds,
  threads: number,
  typicalMs: number,
): Promise<BenchProfile> {
  const options = { ...benchSession(threads), profile: true, label: model.label };
  const session = await engine.load(model.onnxPath, options);
  const fitting = Math.min(PROFILE_MS / typicalMs, MAX_PROFILE_EVENTS / Math.max(1, model.facts.nodes));
  const turnRuns = Math.max(3, Math.min(MAX_PROFILE_RUNS, Math.floor(fitting)));
  // The warm-up and the run that opens a turn are profiled as well: all runs are counted.
  const schedule = { rounds: 1, minRounds: 1, warmup: 1, turnMs: 1e9, maxRunsPerTurn: turnRuns };
  await engine.measureLatency([{ label: model.label, session, feeds }], schedule);
  const records = await session.endProfiling();
  await session.release();
  const runs = turnRuns + 2;
  const { nodes, shares, ...summary } = summarizeProfile(records, runs);
  return {
    label: model.label,
    threads,
    runs,
    nodeMs: summary.nodeMs,
    shares: { ...shares },
    operators: summary.operators.map((operator) => ({ ...operator })),
    nodes: nodes.slice(0, MAX_NODES).map(({ outputShape, ...node }) => ({
      ...node,
      outputShape: outputShape === undefined ? null : [...outputShape],
    })),
    nodeCount: nodes.length,
  };
}

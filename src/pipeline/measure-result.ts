import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprintLabelled, spread } from '../data/dataset.ts';
import { type IntegerShare, integerShare } from '../evaluation/integer-share.ts';
import { layerSqnr } from '../evaluation/layer-sqnr.ts';
import { type ModelScores, scoreModels } from '../evaluation/score-models.ts';
import type { PassContext } from '../passes/pass.ts';
import type { Engine } from '../runtime/engine.ts';
import type { Runnable } from '../runtime/session.ts';
import { TemporaryFolder } from '../storage/temporary-folder.ts';
import type { Target } from '../targets/target-schema.ts';
import { anyFeeds } from './any-feeds.ts';
import type { RunSamples } from './open-samples.ts';
import type { StepsResult, Warning } from './run-steps.ts';

export interface MeasureInput {
  readonly original: Runnable;
  /** The compressed model's file. */
  readonly bytes: Uint8Array;
  readonly done: StepsResult;
  readonly samples: RunSamples;
  readonly target: Target;
  readonly threads: number;
  readonly engine: Engine;
  readonly context: PassContext;
  readonly seed: number;
}

/** Everything that is measured of the finished model. */
export interface MeasuredResult {
  /** Original against: compressed in exact arithmetic, compressed as this host's engine runs it. */
  readonly scores: ModelScores | undefined;
  /** Of the evaluation samples and their labels; undefined without them. */
  readonly evaluationSha256: string | undefined;
  readonly integerShare: IntegerShare;
  /** By the float value that stands for a layer's output. */
  readonly layerSqnrDb: ReadonlyMap<string, number | null>;
  readonly warnings: readonly Warning[];
}

/** What errors call the finished model. */
const COMPRESSED = { label: 'the compressed model', temporary: true };

/** Samples that the comparison layer by layer looks at. */
const LAYER_SAMPLES = 4;

/** Runs the finished model: accuracy in the target's arithmetic and in this host's, kernels. */
export async function measureResult(input: MeasureInput): Promise<MeasuredResult> {
  const { original, bytes, done, samples, threads, engine, context, seed } = input;
  const folder = new TemporaryFolder();
  try {
    // The engine reads the file that will be written, as any other program would.
    const path = join(folder.path, 'compressed.onnx');
    writeFileSync(path, bytes);
    const feeds = await anyFeeds(original, samples, seed);
    const seen = done.integerKernels;
    const known = seen?.of === done.model ? seen.names : undefined;
    const share = await integerShare(done.model, feeds, { engine, threads, known });
    let scores: ModelScores | undefined;
    if (samples.evaluation !== undefined) {
      const host = await engine.load(path, { ...COMPRESSED, threads });
      const exact = await engine.load(path, { ...COMPRESSED, threads, exact: true });
      scores = await scoreModels(original, [exact, host], samples.evaluation, {
        logger: context.logger,
        signal: context.signal,
      });
      await host.release();
      await exact.release();
    }
    return {
      scores,
      evaluationSha256: samples.evaluation === undefined ? undefined : await fingerprintLabelled(samples.evaluation),
      integerShare: share,
      layerSqnrDb: await sqnrByLayer(input, done),
      warnings: [],
    };
  } finally {
    folder.remove();
  }
}

async function sqnrByLayer({ samples, engine }: MeasureInput, done: StepsResult): Promise<Map<string, number | null>> {
  if (done.float === undefined || samples.evaluation === undefined) return new Map();
  const few = samples.evaluation.subset(spread(0, samples.evaluation.count, LAYER_SAMPLES));
  const names = done.layers.map((layer) => layer.output);
  return layerSqnr(done.float, done.model, names, few, engine);
}

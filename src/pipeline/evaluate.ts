import { readFileSync, statSync } from 'node:fs';
import { openDataset } from '../data/dataset.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { silentLogger } from '../diagnostics/logger.ts';
import { OutputComparer } from '../evaluation/output-differences.ts';
import { type Comparison, type Scores, scoreModels } from '../evaluation/score-models.ts';
import { readModel } from '../formats/onnx/read-model.ts';
import type { Evaluation } from '../report/evaluation-schema.ts';
import { startEngine } from '../runtime/engine.ts';
import { loadTarget } from '../targets/load-target.ts';
import type { EvaluateOptions, RunContext } from './api-types.ts';
import { arithmeticNote } from './build-report.ts';
import { engineLimits } from './engine-limits.ts';
import { enginePath } from './engine-path.ts';
import { engineThreads } from './engine-threads.ts';
import { type DeviceSession, deviceNote, deviceRecord, openDeviceSession, outputSteps } from './evaluate-device.ts';
import { fileFacts } from './file-facts.ts';
import { datasetOptions } from './open-samples.ts';
import { withUnpacked } from './unpacked-model.ts';

const DEFAULT_TARGET = 'generic-arm64';

/**
 * Measures a model (`.onnx`, `.ort` or `.epk`) on labelled or unlabelled samples, in exact integer arithmetic and as this host's engine runs it, and
 * where asked on a device and beside another model, sample by sample.
 * @throws EdgepackError for unreadable models and data, and when the engine fails.
 */
export async function evaluate(
  modelPath: string,
  options: EvaluateOptions,
  context: RunContext = {},
): Promise<Evaluation> {
  const { against } = options;
  return withUnpacked(modelPath, (onnxPath) =>
    against === undefined
      ? evaluateOnnx(modelPath, [onnxPath], options, context)
      : withUnpacked(against, (againstPath) => evaluateOnnx(modelPath, [onnxPath, againstPath], options, context)),
  );
}

/** @param onnxPaths of the model, and of the one to compare with. */
async function evaluateOnnx(
  modelPath: string,
  onnxPaths: readonly string[],
  options: EvaluateOptions,
  { logger = silentLogger, signal }: RunContext,
): Promise<Evaluation> {
  const target = loadTarget(options.target ?? DEFAULT_TARGET);
  const models = onnxPaths.map((path) => ({
    path,
    model: readModel(path, { ...options, ort: true }),
    sizeBytes: statSync(path).size,
  }));
  const limits = engineLimits(models, options);
  const samples = await openDataset(options.data, datasetOptions(models[0]!.model, options));
  if (options.against === undefined && samples.labels === undefined) {
    throw new EdgepackError('data-mismatch', 'the samples have no labels and there is no other model to compare with', {
      location: { file: options.data },
      hint: 'add --labels, or --against original.onnx',
    });
  }
  const threads = engineThreads(options.threads, target);
  const runnable = onnxPaths.map((path) => enginePath(path, options.allowLinks === true));
  const engine = await startEngine({ logger });
  let there: DeviceSession | undefined;
  try {
    there = await openDeviceSession(runnable[0]!.path, options, { target, limits, logger, signal });
    await engine.limit(limits);
    const host = await engine.load(runnable[0]!.path, { threads });
    const exact = options.exact === false ? undefined : await engine.load(runnable[0]!.path, { threads, exact: true });
    const reference = options.against === undefined ? host : await engine.load(runnable[1]!.path, { threads });
    const comparer = new OutputComparer(outputSteps(models[0]!.model));
    const compared = there === undefined ? [] : [comparer.watch(there.session, 1)];
    // In the arithmetic of the target, where it is asked for: what saturates on this host is not the device's business.
    const watched = there === undefined ? (exact ?? host) : comparer.watch(exact ?? host, 0);
    const candidates = exact === undefined ? [watched, ...compared] : [watched, host, ...compared];
    const scores = await scoreModels(reference, candidates, samples, { logger, signal });
    const hostScores = scores.candidates[exact === undefined ? 0 : 1]!;
    const deviceScores = there === undefined ? undefined : scores.candidates.at(-1)!;
    const exactScores = exact === undefined ? undefined : scores.candidates[0]!;
    return {
      evaluationVersion: 1,
      model: fileFacts(modelPath, readFileSync(modelPath)),
      against: options.against === undefined ? null : fileFacts(options.against, readFileSync(options.against)),
      target: target.name,
      arithmetic: target.arithmetic,
      data: { path: options.data, samples: samples.count, labelled: samples.labels !== undefined },
      exact: exactScores === undefined ? null : scoresOf(exactScores),
      host: scoresOf(hostScores),
      device:
        there === undefined || deviceScores === undefined
          ? null
          : deviceRecord(there, scoresOf(deviceScores), comparer.result()),
      comparison:
        options.against === undefined
          ? null
          : {
              against: scoresOf(scores.reference),
              exact: exactScores === undefined ? null : comparisonOf(exactScores),
              host: comparisonOf(hostScores),
              device: deviceScores === undefined ? null : comparisonOf(deviceScores),
              paired: (exactScores ?? hostScores).paired,
            },
      note: exactScores === undefined ? null : arithmeticNote(exactScores, hostScores, target),
      deviceNote:
        there === undefined
          ? null
          : deviceNote(comparer.result(), exact === undefined ? "this host's engine" : 'exact arithmetic on this host'),
    };
  } finally {
    for (const { remove } of runnable) remove();
    await engine.close();
    await there?.close();
  }
}

function scoresOf({ top1, top5 }: Scores): Scores {
  return { top1, top5 };
}

function comparisonOf({ top1, top5, agreement, sqnrDb, cosine, klDivergence }: Comparison) {
  return { top1, top5, agreement, sqnrDb, cosine, klDivergence };
}

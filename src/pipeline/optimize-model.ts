import type { Dataset } from '../data/dataset.ts';
import { sqnrDb } from '../evaluation/statistics.ts';
import { syntheticFeeds } from '../evaluation/synthetic-feeds.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import type { Model } from '../ir/model.ts';
import { normalizeGemm } from '../passes/optimize/normalize-gemm.ts';
import { OPTIMIZE_ROUNDS, optimizeRound, preparingPasses } from '../passes/optimize/optimize-passes.ts';
import { removeInitializerInputs } from '../passes/optimize/remove-initializer-inputs.ts';
import { upgradeOpset } from '../passes/optimize/upgrade-opset.ts';
import type { PassContext } from '../passes/pass.ts';
import { type PassRun, runPasses } from '../passes/run-passes.ts';
import type { Engine } from '../runtime/engine.ts';
import { loadPieces } from '../runtime/load-pieces.ts';
import type { Runnable } from '../runtime/session.ts';
import { isFloat } from '../tensor/data-type.ts';
import { floatElements } from '../tensor/float-elements.ts';
import type { Feeds, NdArray } from '../tensor/nd-array.ts';

/** How the outputs of two models on the same feeds differ. */
export interface OutputDifference {
  /** null where the outputs are identical. */
  readonly sqnrDb: number | null;
  readonly maxAbsoluteDifference: number;
  readonly samples: number;
}

/** Operator set that int8 needs: DequantizeLinear with one scale per channel came with it. */
const QUANTIZATION_OPSET = 13;

/** Makes a model ready for quantization: operator set, constants, batch norms, identities. Edits it in place. */
export async function optimizeModel(model: Model, engine: Engine, context: PassContext): Promise<PassRun[]> {
  const evaluate = async (constants: Model): Promise<Feeds> => {
    const session = await loadPieces(engine, encodeModel(constants).pieces, { label: 'the constant part' });
    try {
      return await session.run({});
    } finally {
      await session.release();
    }
  };
  const preparing = [
    removeInitializerInputs(),
    upgradeOpset({ minimum: QUANTIZATION_OPSET }),
    normalizeGemm(),
    ...preparingPasses(),
  ];
  const runs = await runPasses(model, preparing, context);
  const round = optimizeRound({ foldConstants: { evaluate } });
  for (let i = 0; i < OPTIMIZE_ROUNDS; i++) {
    const results = await runPasses(model, round, context);
    runs.push(...results);
    if (!results.some((result) => result.modified)) break;
  }
  return mergeRuns(runs);
}

/** Passes run several times are one line of the report. */
function mergeRuns(runs: readonly PassRun[]): PassRun[] {
  const merged = new Map<string, PassRun>();
  for (const run of runs) {
    const before = merged.get(run.pass);
    merged.set(run.pass, {
      pass: run.pass,
      modified: run.modified || before?.modified === true,
      changes: [...(before?.changes ?? []), ...run.changes],
      durationMs: run.durationMs + (before?.durationMs ?? 0),
    });
  }
  return [...merged.values()];
}

/** Samples that are enough to see whether a change of form changed the outputs. */
const COMPARED_SAMPLES = 2;

/** Runs the original and the model in memory on the same feeds, of the samples or made up, and compares their outputs. */
export async function compareOutputs(
  original: Runnable,
  changed: Model,
  samples: Dataset | undefined,
  engine: Engine,
  seed: number,
): Promise<OutputDifference> {
  const session = await loadPieces(engine, encodeModel(changed).pieces, { label: 'the optimised model' });
  try {
    const count = samples === undefined ? 1 : Math.min(COMPARED_SAMPLES, samples.count);
    const expected: number[] = [];
    const actual: number[] = [];
    let largest = 0;
    for (let i = 0; i < count; i++) {
      const feeds = samples === undefined ? syntheticFeeds(original.inputs, seed) : await samples.feed(i);
      const a = await original.run(feeds);
      const b = await session.run(feeds);
      for (const [name, array] of Object.entries(a)) {
        const [one, other] = [numbersOf(array), numbersOf(b[name]!)];
        for (let k = 0; k < one.length; k++) {
          const before = Number(one[k]);
          const after = Number(other[k]);
          expected.push(before);
          actual.push(after);
          // NaN and infinities that are the same in both are no difference.
          if (!Object.is(before, after)) largest = Math.max(largest, Math.abs(before - after));
        }
      }
    }
    const ratio = sqnrDb(expected, actual);
    return { sqnrDb: Number.isFinite(ratio) ? ratio : null, maxAbsoluteDifference: largest, samples: count };
  } finally {
    await session.release();
  }
}

function numbersOf(array: NdArray): ArrayLike<number | bigint> {
  return isFloat(array.dataType) ? floatElements(array) : array.data;
}

import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import type { Model } from '../../../src/ir/model.ts';
import type { ConstantEvaluator } from '../../../src/passes/optimize/fold-constants.ts';
import { optimizePasses } from '../../../src/passes/optimize/optimize-passes.ts';
import { type PassRun, runPasses } from '../../../src/passes/run-passes.ts';
import type { Engine } from '../../../src/runtime/engine.ts';

/** Computes constants with the engine, its own optimisations off. */
export function engineEvaluator(engine: Engine): ConstantEvaluator {
  return async (model) => {
    const session = await engine.load(bytesOf(model), { optimization: 'disabled', label: 'constants' });
    try {
      return await session.run({});
    } finally {
      await session.release();
    }
  };
}

export function bytesOf(model: Model): Uint8Array {
  return Buffer.concat(encodeModel(model).pieces);
}

/** Runs the whole list of optimising passes over a model, in place. */
export function optimize(model: Model, engine?: Engine): Promise<PassRun[]> {
  const passes = optimizePasses(engine === undefined ? {} : { foldConstants: { evaluate: engineEvaluator(engine) } });
  return runPasses(model, passes, { logger: silentLogger });
}

/** Operators of the main graph with their counts. */
export function operatorCounts(model: Model): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of model.graph.nodes()) counts[node.opType] = (counts[node.opType] ?? 0) + 1;
  return counts;
}

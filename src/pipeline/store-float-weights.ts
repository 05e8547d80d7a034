import type { Model } from '../ir/model.ts';
import type { PassContext } from '../passes/pass.ts';
import { foldWeightTransposes } from '../passes/quantize/fold-weight-transposes.ts';
import { type InsertQdqOptions, placementOptions } from '../passes/quantize/insert-qdq-options.ts';
import { insertWeightDq } from '../passes/quantize/insert-weight-dq.ts';
import { placeQuantization } from '../passes/quantize/placement.ts';
import { type PassRun, runPasses } from '../passes/run-passes.ts';
import type { RecipeStep } from '../recipes/recipe-schema.ts';
import type { ReportStep } from '../report/report-schema.ts';
import type { ChosenProvider } from '../targets/choose-provider.ts';
import type { Target } from '../targets/target-schema.ts';
import type { ResolvedCompressOptions } from './compress-options.ts';
import { insertionFor } from './follow-provider.ts';
import type { QuantizeModelOptions } from './quantize-model.ts';

/** Where int8 weights of layers that compute in float leave less of the outputs than this, they stay in float. */
const LEAST_SQNR_DB = 20;
const WORTH_MENTIONING_DB = 1;

/** What a step of a recipe, the target and the user say about int8. */
export function insertionOf(
  step: Extract<RecipeStep, { pass: 'quantize-static' }>['options'],
  provider: ChosenProvider,
  target: Target,
  options: ResolvedCompressOptions,
): QuantizeModelOptions['insertion'] {
  return {
    ...(step.weightRange === undefined ? {} : { weightRange: step.weightRange }),
    ...(step.biasCorrection === undefined ? {} : { biasCorrection: step.biasCorrection }),
    ...(step.quantizeAttention === undefined ? {} : { quantizeAttention: step.quantizeAttention }),
    ...insertionFor(provider, target),
    nodesToExclude: [...(step.nodesToExclude ?? []), ...options.nodesToExclude],
  };
}

/** Stores the weights of layers without integer kernels as int8, like all others; those layers go on to compute in float. */
export async function storeFloatWeights(
  model: Model,
  insertion: Omit<InsertQdqOptions, 'calibrationMethod'>,
  context: PassContext,
): Promise<PassRun[]> {
  const folded = await runPasses(model, [foldWeightTransposes()], context);
  const { nodesToExclude = [], weightRange } = insertion;
  const placement = placeQuantization(model, placementOptions(insertion));
  const options = { ...(weightRange === undefined ? {} : { weightRange }), nodesToExclude: [...nodesToExclude] };
  const store = insertWeightDq(options, (node) => !placement.roles.has(node));
  return [...folded, ...(await runPasses(model, [store], context))];
}

/** Why such weights stay in float after all, by the loss with and without them; undefined where they need not. */
export function harmOfStorage(loss: ReportStep['loss'], lossBefore: ReportStep['loss']): string | undefined {
  const sqnrDb = loss?.sqnrDb ?? null;
  if (sqnrDb === null || sqnrDb >= LEAST_SQNR_DB) return undefined;
  // What was lost before, by pruning, is not lost here.
  if (sqnrDb > (lossBefore?.sqnrDb ?? Number.POSITIVE_INFINITY) - WORTH_MENTIONING_DB) return undefined;
  return `the weights of layers without integer kernels stay in float: as int8 they leave ${sqnrDb.toFixed(1)} dB of signal to noise ratio`;
}

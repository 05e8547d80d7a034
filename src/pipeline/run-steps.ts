import { KeptStatistics } from '../calibration/keep-statistics.ts';
import type { Dataset } from '../data/dataset.ts';
import { fingerprintDataset } from '../data/dataset.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import type { ReferenceSession } from '../evaluation/reference-session.ts';
import { type Comparison, scoreModels } from '../evaluation/score-models.ts';
import { cloneModel } from '../formats/onnx/clone-model.ts';
import { encodedBytes, encodeModel } from '../formats/onnx/write-model.ts';
import type { Model } from '../ir/model.ts';
import { widenHalfFloats } from '../passes/optimize/widen-half-floats.ts';
import type { Pass, PassContext } from '../passes/pass.ts';
import { pruneMagnitude } from '../passes/prune/prune-magnitude.ts';
import { foldDequantizers } from '../passes/quantize/fold-dequantizers.ts';
import { foldWeightTransposes } from '../passes/quantize/fold-weight-transposes.ts';
import { insertWeightDq } from '../passes/quantize/insert-weight-dq.ts';
import { type PassRun, runPasses } from '../passes/run-passes.ts';
import type { Recipe, RecipeStep } from '../recipes/recipe-schema.ts';
import { formatBytes } from '../report/number-format.ts';
import type { ReportStep } from '../report/report-schema.ts';
import type { Engine } from '../runtime/engine.ts';
import { isHostExact } from '../runtime/host.ts';
import { loadPieces } from '../runtime/load-pieces.ts';
import type { ChosenProvider } from '../targets/choose-provider.ts';
import type { Target } from '../targets/target-schema.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { RunContext } from './api-types.ts';
import { codedWeightBytes } from './coded-weight-bytes.ts';
import type { ResolvedCompressOptions } from './compress-options.ts';
import type { RunSamples } from './open-samples.ts';
import { compareOutputs, optimizeModel } from './optimize-model.ts';
import { packageVersion } from './package-version.ts';
import { pruneOptions } from './prune-options.ts';
import { type QuantizedLayer, type QuantizedModel, quantizeModel } from './quantize-model.ts';
import { type SpendLimitOptions, type SpentLimit, spendLimit } from './spend-limit.ts';
import { harmOfStorage, insertionOf, storeFloatWeights } from './store-float-weights.ts';

/** Noise at the outputs that only the order of sums makes: int8's is a million times as strong. */
const NEGLIGIBLE_DB = 90;

export interface StepsInput {
  readonly modelSha256: string;
  /** Of the model's file, where all of it is there. */
  readonly fileBytes: number | undefined;
  readonly original: ReferenceSession;
  readonly model: Model;
  readonly recipe: Recipe;
  readonly target: Target;
  readonly provider: ChosenProvider;
  readonly options: ResolvedCompressOptions;
  readonly samples: RunSamples;
  readonly threads: number;
  readonly engine: Engine;
  readonly context: PassContext;
  readonly onSearch?: RunContext['onSearch'];
}

export interface StepsResult {
  readonly model: Model;
  /** The model as it was right before quantization; undefined where nothing was quantized with data. */
  readonly float: Model | undefined;
  /** Quantizes that model as it was done, with these nodes left in float; undefined where it was not quantized with data. */
  readonly quantizeWithout: ((nodesInFloat: readonly string[]) => Promise<Model>) | undefined;
  readonly layers: readonly QuantizedLayer[];
  /** Which nodes of `of` ran as products of integers here, where that has been seen already. */
  readonly integerKernels: { readonly of: Model; readonly names: ReadonlySet<string> } | undefined;
  readonly steps: readonly ReportStep[];
  readonly warnings: readonly Warning[];
}

export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** Runs the steps of a recipe on a model, measuring what each costs. */
export async function runSteps(input: StepsInput): Promise<StepsResult> {
  const runner = new StepRunner(input);
  for (const step of input.recipe.steps) {
    input.context.signal?.throwIfAborted();
    await runner.run(step);
  }
  return runner.result();
}

class StepRunner {
  readonly #input: StepsInput;
  readonly #steps: ReportStep[] = [];
  readonly #warnings: Warning[] = [];
  #model: Model;
  #float: Model | undefined;
  #quantizeWithout: StepsResult['quantizeWithout'];
  #layers: readonly QuantizedLayer[] = [];
  #integerKernels: StepsResult['integerKernels'];
  /** The weights before they were pruned, where zeros were asked for: then exactly these are set, and nothing is searched. */
  #exactWeights: ReadonlyMap<string, Tensor> | undefined;
  #searchedPruning: SpendLimitOptions['prune'];
  #isLikeOriginal = true;

  constructor(input: StepsInput) {
    this.#input = input;
    this.#model = input.model;
  }

  result(): StepsResult {
    return {
      model: this.#model,
      float: this.#float,
      quantizeWithout: this.#quantizeWithout,
      layers: this.#layers,
      integerKernels: this.#integerKernels,
      steps: this.#steps,
      warnings: this.#warnings,
    };
  }

  async run(step: RecipeStep): Promise<void> {
    this.#integerKernels = undefined;
    switch (step.pass) {
      case 'optimize':
        return this.#optimize();
      case 'prune-magnitude':
        return this.#prune(step.options);
      case 'quantize-static':
        return this.#quantize(step.options);
      case 'quantize-weights':
        return this.#quantizeWeights(step.options);
    }
  }

  async #optimize(): Promise<void> {
    const { engine, context, recipe } = this.#input;
    const quantizes = recipe.steps.some(({ pass }) => pass === 'quantize-static' || pass === 'quantize-weights');
    const widening = quantizes ? await runPasses(this.#model, [widenHalfFloats()], context) : [];
    const runs = [...widening, ...(await optimizeModel(this.#model, engine, context))];
    const loss = await this.#lossOnFeeds(runs.some((run) => run.modified));
    this.#isLikeOriginal &&= loss.maxAbsoluteDifference === 0 || (loss.sqnrDb !== null && loss.sqnrDb > NEGLIGIBLE_DB);
    this.#add('Optimise', 'optimize', runs, loss);
  }

  async #prune(step: PruneOptions): Promise<void> {
    const { options } = this.#input;
    const { sparsity, ...resolved } = pruneOptions(step, options);
    const nodesToExclude = [...(step.nodesToExclude ?? []), ...options.nodesToExclude];
    if (sparsity === 0) return;
    if (sparsity === 'auto') {
      // Zeros pay or do not pay together with int8: that step decides.
      this.#searchedPruning = { scope: resolved.scope ?? 'global', nodesToExclude };
      return;
    }
    this.#exactWeights = weightsByName(this.#model);
    await this.#pruneBy(pruneMagnitude({ ...resolved, sparsity, nodesToExclude }));
  }

  async #pruneBy(pass: Pass): Promise<void> {
    this.#isLikeOriginal = false;
    const before = codedWeightBytes(this.#model);
    const [run] = await runPasses(this.#model, [pass], this.#input.context);
    const after = codedWeightBytes(this.#model);
    const bytes = {
      kind: 'coded-bytes',
      subject: 'weights',
      detail: `about ${formatBytes(Math.round(after))} as int8 in the .epk, ${formatBytes(Math.round(before))} without these zeros; a dense engine takes as long as before`,
    };
    this.#warnings.push({
      code: 'sparsity',
      message: 'zeros make the .epk smaller; they do not make a dense engine faster',
    });
    const changes = run!.modified ? [...run!.changes, bytes] : run!.changes;
    this.#add('Prune', 'prune-magnitude', [{ ...run!, changes }], await this.#lossOnSelection());
  }

  async #quantize(step: QuantizeOptions): Promise<void> {
    await this.#storeFloatWeights(step);
    const { samples, options, target, provider, engine, threads, context } = this.#input;
    const { statistics, selection } = samples;
    if (statistics === undefined || selection === undefined) {
      throw new EdgepackError('usage', `the recipe '${this.#input.recipe.name}' needs calibration samples`, {
        hint: 'add --data or --calibration, or choose --recipe weight-only, which needs none',
      });
    }
    const cache = new KeptStatistics(options.cacheFolder, {
      edgepack: packageVersion,
      model: this.#input.modelSha256,
      recipe: this.#input.recipe.steps,
      sparsity: options.sparsity ?? null,
      maskStructure: options.maskStructure ?? null,
      scope: options.scope ?? null,
      nodesToExclude: options.nodesToExclude,
      samples: await fingerprintDataset(statistics),
      selection: await fingerprintDataset(selection),
      engine: engine.version,
    });
    const quantized = await quantizeModel(this.#model, {
      engine,
      original: this.#input.original,
      isLikeOriginal: this.#isLikeOriginal,
      threads,
      statistics,
      selection,
      calibrationMethod: options.calibrationMethod ?? step.calibrationMethod,
      exactWeights: this.#exactWeights ?? weightsByName(this.#model),
      keepHarmfulInFloat: step.keepHarmfulInFloat ?? true,
      insertion: insertionOf(step, provider, target, options),
      context,
      cache,
    });
    if (this.#isTooHarmful(quantized.selection)) {
      if (this.#searchedPruning !== undefined) this.#addDense('int8 alone costs more than the limit');
      this.#warnings.push({
        code: 'int8-too-harmful',
        message: `int8 activations cost more accuracy than allowed on the selection samples (${describeLoss(quantized.selection)}): only weights are stored as int8, the model computes in float`,
      });
      return this.#quantizeWeights({});
    }
    const float = this.#model;
    this.#float = float;
    this.#layers = quantized.layers;
    const spent = await this.#spendLimit(quantized, step, cache);
    const stepFactors = spent?.found?.stepFactors ?? {};
    this.#quantizeWithout = async (nodes) => (await quantized.requantize(float, stepFactors, nodes)).model;
    const chosen = {
      kind: 'choose-ranges',
      subject: quantized.calibrationMethod,
      detail: 'best on the selection samples',
    };
    const { run } = spent?.found ?? quantized;
    const changes = [chosen, ...(spent?.changes ?? []), ...run.changes];
    const durationMs = run.durationMs + (spent?.durationMs ?? 0);
    this.#model = spent?.found?.model ?? quantized.model;
    const { model: of, integerKernels: names } = quantized;
    this.#integerKernels = names && { of, names };
    const loss = spent?.found === undefined ? lossOf(quantized.selection, selection) : await this.#lossOnSelection();
    this.#add('Quantize to int8', 'quantize-static', [{ ...run, changes, durationMs }], loss);
  }

  /** Layers without integer kernels compute in float, with weights that are stored as int8 like all others. */
  async #storeFloatWeights(step: QuantizeOptions): Promise<void> {
    const { context, provider, target, options, samples } = this.#input;
    // What other providers make of a Cast and a Mul of weights is not known.
    if (provider.provider.name !== 'cpu' || samples.statistics === undefined) return;
    const before = cloneModel(this.#model);
    const runs = await storeFloatWeights(this.#model, insertionOf(step, provider, target, options), context);
    if (!runs.some(({ modified }) => modified)) return;
    const loss = await this.#lossOnSelection();
    const harm = harmOfStorage(loss, this.#steps.at(-1)?.loss ?? null);
    if (harm === undefined) {
      const isStored = runs.at(-1)!.modified;
      this.#isLikeOriginal &&= !isStored;
      const name = isStored ? 'Store weights of float layers as int8' : 'Give tied layers weights of their own';
      this.#add(name, 'quantize-weights', runs, loss);
    } else {
      this.#model = before;
      this.#warnings.push({ code: 'float-weights', message: harm });
    }
  }

  /** The search for a smaller model within the accuracy limit, where the recipe has one. Zeros become a step of their own. */
  async #spendLimit(
    quantized: QuantizedModel,
    step: QuantizeOptions,
    cache: KeptStatistics,
  ): Promise<SpentLimit | undefined> {
    const { engine, original, threads, context, samples, options, onSearch } = this.#input;
    const prune = this.#searchedPruning;
    const wideSteps = step.weightSteps === 'auto';
    if (this.#exactWeights !== undefined || (prune === undefined && !wideSteps)) return undefined;
    const spent = await spendLimit(this.#model, quantized, {
      engine,
      original,
      threads,
      context,
      statistics: samples.statistics!,
      selection: samples.selection!,
      maxAccuracyDrop: options.maxAccuracyDrop,
      prune,
      wideSteps,
      timeLimitSeconds: options.timeLimit,
      cache,
      onSearch,
    });
    if (prune === undefined) return spent;
    if (spent.denseBecause === undefined) {
      const { sparsityByNode } = spent.found!;
      const exclusions = prune.nodesToExclude;
      const pass = pruneMagnitude({ sparsityByNode, nodesToExclude: [...exclusions] });
      await this.#pruneBy(pass);
    } else {
      this.#addDense(spent.denseBecause);
    }
    return spent;
  }

  #addDense(because: string): void {
    const changes = [{ kind: 'keep-dense', subject: 'all layers', detail: because }];
    this.#add('Prune', 'prune-magnitude', [{ pass: 'prune-magnitude', modified: false, changes, durationMs: 0 }], null);
  }

  async #quantizeWeights({ weightRange, nodesToExclude }: WeightOptions): Promise<void> {
    const { context, options, provider } = this.#input;
    const store = insertWeightDq({
      ...(weightRange === undefined ? {} : { weightRange }),
      nodesToExclude: [...(nodesToExclude ?? []), ...options.nodesToExclude],
    });
    // Other providers are not known to have kernels for a product with int8 weights, as the CPU has.
    const fold = provider.provider.name === 'cpu' ? [] : [foldDequantizers()];
    const runs = await runPasses(this.#model, [foldWeightTransposes(), store, ...fold], context);
    const isModified = runs.some((run) => run.modified);
    this.#isLikeOriginal &&= !isModified;
    const loss =
      this.#input.samples.selection === undefined ? await this.#lossOnFeeds(isModified) : await this.#lossOnSelection();
    this.#add('Store weights as int8', 'quantize-weights', runs, loss);
  }

  /** The model as it is now against the original file, on made-up feeds or few samples. */
  async #lossOnFeeds(isModified: boolean): Promise<NonNullable<ReportStep['loss']>> {
    const { original, engine, samples, options } = this.#input;
    const unclassified = { agreement: null, klDivergence: null, top1: null };
    // Loading a large graph takes the engine seconds: what did not change is not compared again.
    if (!isModified) {
      const last = this.#steps.at(-1);
      if (last === undefined) return { sqnrDb: null, maxAbsoluteDifference: 0, samples: 0, ...unclassified };
      if (last.loss !== null) return last.loss;
    }
    const loss = await compareOutputs(original, this.#model, samples.selection, engine, options.seed);
    return { ...loss, ...unclassified };
  }

  /** Whether a loss on the selection samples exceeds the limit by more than two standard errors. */
  #isTooHarmful({ paired, agreement }: Comparison): boolean {
    const limit = this.#input.options.maxAccuracyDrop / 100;
    if (paired !== null) return paired.difference - 2 * paired.standardError > limit;
    // Without labels every changed answer may be a loss; far beyond the limit it is taken for one.
    return agreement !== null && 1 - agreement.high > Math.max(0.1, limit);
  }

  /** The model as it is now against the original file. */
  async #lossOnSelection(): Promise<ReportStep['loss']> {
    const { samples, engine, original, threads, context } = this.#input;
    if (samples.selection === undefined) return null;
    const changed = await loadPieces(engine, encodeModel(this.#model).pieces, {
      threads,
      exact: !isHostExact(),
      label: 'the changed model',
    });
    try {
      const { candidates } = await scoreModels(original, [changed], samples.selection, {
        logger: context.logger,
        signal: context.signal,
        label: 'Comparing',
      });
      return lossOf(candidates[0]!, samples.selection);
    } finally {
      await changed.release();
    }
  }

  #add(name: string, pass: string, runs: readonly PassRun[], loss: ReportStep['loss']): void {
    const modified = runs.some((run) => run.modified);
    // What was not changed is written back as it was read.
    const known = modified ? undefined : (this.#steps.at(-1)?.onnxBytes ?? this.#input.fileBytes);
    this.#steps.push({
      name,
      pass,
      modified,
      durationMs: runs.reduce((sum, run) => sum + run.durationMs, 0),
      onnxBytes: known ?? encodedBytes(this.#model),
      changes: runs.flatMap((run) => run.changes),
      loss,
    });
  }
}

function weightsByName({ graph }: Model): Map<string, Tensor> {
  return new Map([...graph.initializers].map((value) => [value.name, value.tensor!]));
}

type PruneOptions = Extract<RecipeStep, { pass: 'prune-magnitude' }>['options'];
type QuantizeOptions = Extract<RecipeStep, { pass: 'quantize-static' }>['options'];
type WeightOptions = Extract<RecipeStep, { pass: 'quantize-weights' }>['options'];

/** What a comparison says of a step. */
export function lossOf(comparison: Comparison, samples: Dataset): NonNullable<ReportStep['loss']> {
  return {
    sqnrDb: comparison.sqnrDb,
    agreement: comparison.agreement?.value ?? null,
    klDivergence: comparison.klDivergence,
    top1: comparison.top1?.value ?? null,
    maxAbsoluteDifference: comparison.maxAbsoluteDifference,
    samples: samples.count,
  };
}

function describeLoss({ paired, agreement }: Comparison): string {
  if (paired !== null) return `${(100 * paired.difference).toFixed(1)} points`;
  return agreement === null ? 'no classes' : `${(100 * agreement.value).toFixed(1)} % of the answers stay`;
}

import { measureSensitivity } from '../calibration/measure-sensitivity.ts';
import { spread } from '../data/dataset.ts';
import { cloneModel } from '../formats/onnx/clone-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import type { Model } from '../ir/model.ts';
import { nodeMatcher } from '../passes/match-nodes.ts';
import type { PassChange } from '../passes/pass.ts';
import { prunableWeights } from '../passes/prune/prunable-weights.ts';
import { pruneMagnitude } from '../passes/prune/prune-magnitude.ts';
import { type StoredWeight, storedWeights } from '../passes/quantize/stored-weights.ts';
import { type PassRun, runPasses } from '../passes/run-passes.ts';
import type { LossJudge, Verdict } from './loss-judge.ts';
import { lossJudge } from './loss-judge.ts';
import { planStorage, type StoragePlan, StoragePlanner, WORTHWHILE_SHRINKAGE } from './plan-storage.ts';
import type { QuantizedModel, QuantizeModelOptions } from './quantize-model.ts';
import { MAX_TRIES, type SearchResult, searchLargest } from './search-largest.ts';

export interface SpendLimitOptions extends Pick<QuantizeModelOptions, 'engine' | 'original' | 'threads' | 'context'> {
  readonly statistics: QuantizeModelOptions['statistics'];
  readonly selection: QuantizeModelOptions['selection'];
  /** In percentage points. */
  readonly maxAccuracyDrop: number;
  /** What may be done; undefined where nothing is to be pruned. */
  readonly prune: { readonly scope: 'global' | 'local'; readonly nodesToExclude: readonly string[] } | undefined;
  readonly wideSteps: boolean;
  /** How long the search may take, in seconds. */
  readonly timeLimitSeconds: number | undefined;
  readonly cache: { load<Kept>(key: object): Kept | undefined; store(key: object, kept: object): void };
  readonly onSearch: ((stop: (() => void) | undefined) => void) | undefined;
}

export interface SpentLimit {
  /** The model that was found; undefined where plain int8 stays. */
  readonly found:
    | {
        readonly model: Model;
        readonly run: PassRun;
        readonly sparsityByNode: Readonly<Record<string, number>>;
        readonly stepFactors: Readonly<Record<string, number>>;
      }
    | undefined;
  /** Why nothing is pruned; undefined where something is. */
  readonly denseBecause: string | undefined;
  /** What was tried, and what came of it. */
  readonly changes: readonly PassChange[];
  readonly durationMs: number;
}

/** Samples without which nothing is searched: the intervals would hold no truth. */
const FEWEST_SELECTION = 8;
const FEWEST_SAMPLES = 32;
/** Layers with a smaller share of the weights stay as they are: there is nothing to gain in them. */
const SMALLEST_SHARE = 0.004;
/** Runs that measure sensitivity, about; and samples of that, the fewest and the most. */
const SENSITIVITY_RUNS = 100;
const SENSITIVITY_SAMPLES = [2, 16] as const;

/**
 * Spends what the accuracy limit leaves after int8 on a smaller `.epk`: wider weight steps, and zeros where they pay, more in
 * layers that stand more. Everything is judged on the selection samples.
 */
export async function spendLimit(
  float: Model,
  quantized: QuantizedModel,
  options: SpendLimitOptions,
): Promise<SpentLimit> {
  const started = performance.now();
  const clock = searchClock(options);
  const nothing = (because: string, changes: readonly PassChange[] = []): SpentLimit => ({
    found: undefined,
    denseBecause: because,
    changes: [...changes, { kind: 'search', subject: 'result', detail: `plain int8 stays: ${because}` }],
    durationMs: performance.now() - started,
  });
  try {
    const kept = new Set(quantized.layers.filter(({ keptFloat }) => keptFloat !== undefined).map(({ node }) => node));
    const stored = storedWeights(quantized.placement).filter(
      ({ nodes }) => !nodes.some((node) => kept.has(nameOf(node))),
    );
    const elements = stored.reduce((sum, { tensor }) => sum + tensor.elementCount, 0);
    const weights = stored.filter(({ tensor }) => tensor.elementCount >= SMALLEST_SHARE * elements);
    if (options.maxAccuracyDrop === 0) return nothing('no loss is allowed');
    if (
      options.selection.count < FEWEST_SELECTION ||
      options.selection.count + options.statistics.count < FEWEST_SAMPLES
    ) {
      return nothing(`a loss cannot be judged on so few samples; give at least ${FEWEST_SAMPLES} for calibration`);
    }
    if (weights.length === 0) return nothing('no weights are stored as int8');
    const judge = await lossJudge(options);
    // Its answers are known now: the engine holds one float model less.
    await options.original.suspend();
    const base = await judgeModel(judge, quantized, quantized.model);
    const baseFact = { kind: 'search', subject: 'plain int8', detail: base.description };
    if (!base.admissible) return nothing('int8 alone takes up the limit', [baseFact]);
    const gains = await sensitivities(float, weights, judge, options, clock.signal);
    const planner = plannerFor(float, quantized, weights, gains, options);
    const choice = planStorage(planner, base.noiseLimit - base.noise);
    const candidates = new Candidates(float, quantized, planner, options);
    const search = (zeros: boolean) =>
      searchLargest<StoragePlan>({
        base,
        plan: (noise) => planner.plan(noise, zeros),
        judge: (plan) => candidates.judge(judge, plan),
        stopped: clock.stopped,
        onBest: clock.offerStop,
        onTry: (tried) => progress.update(tried),
      });
    const progress = options.context.logger.progress('Searching the smallest model within the limit', MAX_TRIES);
    const facts = [baseFact];
    let { zeros, because } = choice;
    let best: SearchResult<StoragePlan>['best'];
    try {
      let result = await search(zeros);
      facts.push(...triedFacts(result, planner));
      if (result.best === undefined && zeros && options.wideSteps) {
        zeros = false;
        because = 'every variant with zeros was refused';
        result = await search(zeros);
        facts.push(...triedFacts(result, planner));
      }
      if (result.best === undefined) return nothing(result.ended, facts);
      best = result.best;
    } finally {
      progress.done();
    }
    const shrinkage = 1 - planner.fileBits(best.plan) / planner.fileBits(planner.plain);
    if (shrinkage < WORTHWHILE_SHRINKAGE) {
      return nothing(`the .epk would be ${percent(shrinkage)} smaller, and less than 5 % is not worth a loss`, facts);
    }
    const { model, run } = await candidates.build(best.plan);
    return {
      found: {
        model,
        run,
        sparsityByNode: planner.sparsityByNode(best.plan),
        stepFactors: planner.stepFactors(best.plan),
      },
      denseBecause: zeros ? undefined : because,
      changes: [...facts, ...planner.facts(best.plan)],
      durationMs: performance.now() - started,
    };
  } catch (error) {
    if (clock.signal.aborted && options.context.signal?.aborted !== true) {
      return nothing('the time limit came before the first variant');
    }
    throw error;
  } finally {
    clock.end();
  }
}

/** The end of a search before its own: the time limit, or the user. */
function searchClock({ context, timeLimitSeconds, onSearch }: SpendLimitOptions) {
  const early = new AbortController();
  const forward = () => early.abort(context.signal?.reason);
  context.signal?.addEventListener('abort', forward);
  if (context.signal?.aborted) forward();
  let reason: string | undefined;
  const timer =
    timeLimitSeconds === undefined
      ? undefined
      : setTimeout(() => {
          reason ??= 'the time limit was reached';
          early.abort(new Error(reason));
        }, timeLimitSeconds * 1000);
  return {
    /** Aborted by the time limit too. */
    signal: early.signal,
    stopped: () => {
      context.signal?.throwIfAborted();
      return reason;
    },
    offerStop: () => {
      if (reason !== undefined) return;
      onSearch?.(() => {
        reason ??= 'it was interrupted';
      });
    },
    end: () => {
      clearTimeout(timer);
      context.signal?.removeEventListener('abort', forward);
      onSearch?.(undefined);
    },
  };
}

async function judgeModel(judge: LossJudge, { load }: QuantizedModel, variant: Model): Promise<Verdict> {
  const session = await load(variant);
  try {
    return await judge.judge(session);
  } finally {
    await session.release();
  }
}

async function sensitivities(
  float: Model,
  weights: readonly StoredWeight[],
  judge: LossJudge,
  { engine, threads, selection, context, cache }: SpendLimitOptions,
  signal: AbortSignal,
): Promise<Float64Array> {
  const [fewest, most] = SENSITIVITY_SAMPLES;
  const count = Math.min(selection.count, most, Math.max(fewest, Math.round(SENSITIVITY_RUNS / weights.length)));
  const key = { sensitivity: weights.map(({ value }) => value.name), samples: count };
  const known = cache.load<Float64Array>(key);
  if (known !== undefined) return known;
  const samples = selection.subset(spread(0, selection.count, count));
  const measured = await measureSensitivity(float, weights, samples, {
    engine,
    threads,
    logger: context.logger,
    signal,
    noise: judge.noise,
  });
  cache.store(key, measured);
  return measured;
}

function plannerFor(
  float: Model,
  quantized: QuantizedModel,
  weights: readonly StoredWeight[],
  gains: Float64Array,
  { prune, wideSteps }: SpendLimitOptions,
): StoragePlanner {
  const prunable =
    prune === undefined
      ? new Set()
      : new Set(prunableWeights(float, nodeMatcher(prune.nodesToExclude)).map(({ value }) => value));
  const fileBytes = encodeModel(quantized.model).pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  return new StoragePlanner(
    weights.map((weight, i) => ({
      names: weight.nodes.map(nameOf),
      weights: weight.tensor.toFloat32(),
      layout: weight.layout,
      prunable: prunable.has(weight.value),
      noisePerError: gains[i]!,
    })),
    { wideSteps, uniformSparsity: prune?.scope === 'local', fileBytes },
  );
}

/** Builds the models of plans; the last one is kept. */
class Candidates {
  readonly #float: Model;
  readonly #quantized: QuantizedModel;
  readonly #planner: StoragePlanner;
  readonly #options: SpendLimitOptions;
  readonly #built = new Map<string, { model: Model; run: PassRun }>();

  constructor(float: Model, quantized: QuantizedModel, planner: StoragePlanner, options: SpendLimitOptions) {
    this.#float = float;
    this.#quantized = quantized;
    this.#planner = planner;
    this.#options = options;
  }

  async build(plan: StoragePlan): Promise<{ model: Model; run: PassRun }> {
    const known = this.#built.get(plan.key);
    if (known !== undefined) return known;
    const sparsityByNode = this.#planner.sparsityByNode(plan);
    let source = this.#float;
    if (Object.keys(sparsityByNode).length > 0) {
      source = cloneModel(this.#float);
      await runPasses(source, [pruneMagnitude({ sparsityByNode })], this.#options.context);
    }
    const built = await this.#quantized.requantize(source, this.#planner.stepFactors(plan));
    this.#built.clear();
    this.#built.set(plan.key, built);
    return built;
  }

  async judge(judge: LossJudge, plan: StoragePlan): Promise<Verdict> {
    return judgeModel(judge, this.#quantized, (await this.build(plan)).model);
  }
}

function triedFacts({ tried, ended }: SearchResult<StoragePlan>, planner: StoragePlanner) {
  return [
    ...tried.map(({ plan, verdict }, i) => ({
      kind: 'search',
      subject: `variant ${i + 1}`,
      detail: `${planner.describe(plan)}: ${verdict.description}; ${verdict.admissible ? 'admitted' : 'refused'}`,
    })),
    { kind: 'search', subject: 'end', detail: ended },
  ];
}

function nameOf(node: StoredWeight['nodes'][number]): string {
  return node.name || node.output.name;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

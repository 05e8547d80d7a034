import { setImmediate } from 'node:timers/promises';
import { collectStatistics } from '../calibration/collect-statistics.ts';
import { type Dataset, spread } from '../data/dataset.ts';
import { joinDatasets } from '../data/join-datasets.ts';
import { FirstRunProfile } from '../evaluation/first-run-profile.ts';
import { integerKernelsOf, numberNodes } from '../evaluation/integer-share.ts';
import type { ReferenceSession } from '../evaluation/reference-session.ts';
import { type Comparison, scoreModels } from '../evaluation/score-models.ts';
import { cloneModel } from '../formats/onnx/clone-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import { cost } from '../ir/cost.ts';
import { inferShapes } from '../ir/infer-shapes.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import type { PassContext } from '../passes/pass.ts';
import { insertQdq } from '../passes/quantize/insert-qdq.ts';
import { type InsertQdqOptions, placementOptions } from '../passes/quantize/insert-qdq-options.ts';
import { effectiveOutput, type Placement, placeQuantization } from '../passes/quantize/placement.ts';
import { roundNodeWeights } from '../passes/quantize/quantize-node-weights.ts';
import { type PassRun, runPasses } from '../passes/run-passes.ts';
import type { CalibrationTable } from '../quantization/calibration-table.ts';
import { type CalibrationMethod, needsHistogram } from '../quantization/choose-range.ts';
import type { Engine } from '../runtime/engine.ts';
import { isHostExact } from '../runtime/host.ts';
import { loadPieces } from '../runtime/load-pieces.ts';
import type { Session } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface QuantizeModelOptions {
  readonly engine: Engine;
  /** The original model, to which every variant is compared. */
  readonly original: ReferenceSession;
  /** Whether the model to be quantized computes what the original does: then its answers are the original's. */
  readonly isLikeOriginal: boolean;
  readonly threads: number;
  readonly statistics: Dataset;
  readonly selection: Dataset;
  /** Fixed by the user or the recipe; otherwise the method that does best on the selection samples. */
  readonly calibrationMethod: CalibrationMethod | undefined;
  readonly keepHarmfulInFloat: boolean;
  readonly insertion: Omit<InsertQdqOptions, 'calibrationMethod'>;
  /** The weights before they were pruned, by name of the initializer; for bias correction. */
  readonly exactWeights: ReadonlyMap<string, Tensor>;
  readonly context: PassContext;
  /** Kept statistics of an earlier run, and where to keep these. */
  readonly cache?: {
    load(key: object): CalibrationTable | undefined;
    store(key: object, table: CalibrationTable): void;
  };
}

/** A node with weights, as the report lists it. */
export interface QuantizedLayer {
  readonly node: string;
  readonly opType: string;
  /** The float value that stands for the layer's output. */
  readonly output: string;
  readonly keptFloat: string | undefined;
}

export interface QuantizedModel {
  readonly model: Model;
  readonly run: PassRun;
  readonly calibrationMethod: CalibrationMethod;
  /** On the selection samples, in exact arithmetic. */
  readonly selection: Comparison;
  readonly layers: readonly QuantizedLayer[];
  readonly placement: Placement;
  /** Which nodes of the model ran as products of integers, by number; undefined where it ran in another arithmetic than here. */
  readonly integerKernels: ReadonlySet<string> | undefined;
  /**
   * Makes the same quantization anew, of a copy of the model that may be pruned, with wider weight steps by node name, and
   * with more nodes left in float.
   */
  readonly requantize: (
    model: Model,
    weightStepFactors: Readonly<Record<string, number>>,
    nodesInFloat?: readonly string[],
  ) => Promise<{ readonly model: Model; readonly run: PassRun }>;
  /** Loads a quantized variant into the engine, in exact arithmetic. */
  readonly load: (variant: Model) => Promise<Session>;
}

/** Ways to choose ranges that are tried where none is asked for. Of few values, the percentile takes all: as min-max does. */
const METHODS: readonly CalibrationMethod[] = ['percentile', 'mse'];
/** Less than this is no reason to prefer a later method: where two give nearly the same model, the processor would decide. */
const NOTICEABLE_GAIN_DB = 0.02;
/** Where agreement is surely below this, or the signal to noise ratio is, layers are looked at one by one. */
const HARMFUL_AGREEMENT = 0.97;
const HARMFUL_SQNR_DB = 15;
/** Layers that are tried in float, the most; and the gain that justifies one. */
const MAX_TRIED_LAYERS = 24;
const WORTHWHILE_GAIN_DB = 1;

/**
 * Static int8 with everything that has to be measured: one pass over the statistics samples, then the selection samples
 * choose how ranges are set and, where the result is poor, which layers stay in float.
 */
export async function quantizeModel(model: Model, options: QuantizeModelOptions): Promise<QuantizedModel> {
  const { context, insertion } = options;
  inferShapes(model);
  const placement = placeQuantization(model, placementOptions(insertion));
  const methods = options.calibrationMethod === undefined ? METHODS : [options.calibrationMethod];
  const { original, isLikeOriginal } = options;
  // Both float models in the engine at once would be the peak of its memory.
  const engineFree = isLikeOriginal ? original.suspend() : answersKept(options);
  const rangeSource = methods.some(needsHistogram) ? 'histogram' : 'extremes';
  const [table] = await Promise.all([
    statisticsFor(model, placement, rangeSource, options, engineFree),
    engineFree.then(() => roundWeightsAhead(placement, insertion, context.signal)),
  ]);
  await answersKept(options);
  const trial = new Trial(model, table, options);
  const variants = await trial.run(
    methods.map((method) => ({ method, nodesToExclude: insertion.nodesToExclude ?? [] })),
  );
  for (const { method, score } of variants) context.logger.debug(`ranges by ${method}: ${describe(score)}`);
  const best = variants.reduce((a, b) => (gainDb(a.score, b.score) > NOTICEABLE_GAIN_DB ? b : a));
  const harmful = options.keepHarmfulInFloat
    ? await keepHarmful(trial, best, placement, options)
    : new Map<string, string>();
  const excluded = [...(insertion.nodesToExclude ?? []), ...harmful.keys()];
  const chosen = harmful.size === 0 ? best : await trial.one(best.method, excluded);
  return {
    model: chosen.model,
    run: chosen.run,
    calibrationMethod: chosen.method,
    selection: chosen.score,
    layers: layersOf(placement, harmful),
    placement,
    integerKernels: chosen.integerKernels,
    requantize: (changed, factors, nodesInFloat = []) =>
      trial.build(changed, chosen.method, [...excluded, ...nodesInFloat], factors),
    load: (variant) => trial.load(variant),
  };
}

/** The original has left the engine, and what it answers to the samples that come again is known. */
async function answersKept({ original, context }: QuantizeModelOptions): Promise<void> {
  await original.remember(context.signal);
  await original.suspend();
}

async function statisticsFor(
  model: Model,
  placement: Placement,
  rangeSource: 'extremes' | 'histogram',
  { engine, threads, statistics, selection, original, isLikeOriginal, context, cache, insertion }: QuantizeModelOptions,
  engineFree: Promise<void>,
): Promise<CalibrationTable> {
  const ranges = placement.quantizedValues.filter((value) => value.tensor === undefined).map((value) => value.name);
  const channelMeans = new Map<string, number>();
  if (insertion.biasCorrection !== false) {
    for (const [node, role] of placement.roles) {
      if (role === 'weighted') channelMeans.set(node.input(0)!.name, node.is('Conv') ? 1 : -1);
    }
  }
  const all = joinDatasets(selection, statistics);
  const samples = rangeSource === 'histogram' ? enough(model, all, selection.count) : all;
  const key = { ranges, rangeSource, channelMeans: [...channelMeans], samples: samples.count };
  const kept = cache?.load(key);
  if (kept !== undefined) return kept;
  const needs = { ranges, rangeSource, channelMeans };
  const table = await collectStatistics(model, samples, needs, {
    engine,
    threads,
    logger: context.logger,
    signal: context.signal,
    engineFree,
    answers: isLikeOriginal ? original : undefined,
  });
  cache?.store(key, table);
  return table;
}

/** How a distribution is spread is known well enough after this many activations, and never before this many samples. */
const ENOUGH_ACTIVATIONS = 2 ** 28;
const FEWEST_SAMPLES = 32;

/**
 * As many samples as tell how activations are spread: fewer of large models, whose samples tell more. The first ones, of
 * which the original's answers are needed too, before others.
 */
function enough(model: Model, samples: Dataset, preferred: number): Dataset {
  const activations = cost(model).total.activationBytes / Float32Array.BYTES_PER_ELEMENT;
  const count = Math.max(FEWEST_SAMPLES, Math.ceil(ENOUGH_ACTIVATIONS / Math.max(1, activations)));
  if (count >= samples.count) return samples;
  const first = spread(0, preferred, count);
  return samples.subset([...first, ...spread(preferred, samples.count, count - first.length)]);
}

/** Rounds the weights while the engine calibrates: every variant will use them. Gives way after each node. */
async function roundWeightsAhead(
  placement: Placement,
  { weightRange = 'mse', saturating = false, perTensor = [] }: QuantizeModelOptions['insertion'],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const [node, role] of placement.roles) {
    if (role !== 'weighted' || signal?.aborted) continue;
    roundNodeWeights(node, { weightRange, saturating, perTensor });
    await setImmediate();
  }
}

interface Variant {
  readonly method: CalibrationMethod;
  readonly model: Model;
  readonly run: PassRun;
  readonly score: Comparison;
  readonly integerKernels: ReadonlySet<string> | undefined;
}

/** Builds variants of the model and measures them on the selection samples, in exact arithmetic. */
class Trial {
  readonly #model: Model;
  readonly #table: CalibrationTable;
  readonly #options: QuantizeModelOptions;

  constructor(model: Model, table: CalibrationTable, options: QuantizeModelOptions) {
    this.#model = model;
    this.#table = table;
    this.#options = options;
  }

  /** Measures several variants in one pass over the samples. */
  async run(
    choices: readonly { readonly method: CalibrationMethod; readonly nodesToExclude: readonly string[] }[],
  ): Promise<Variant[]> {
    const { context, original, selection } = this.#options;
    const built: Omit<Variant, 'score' | 'integerKernels'>[] = [];
    const loading: Promise<Session>[] = [];
    try {
      // While the engine loads one variant, the next is being built.
      for (const { method, nodesToExclude } of choices) {
        context.signal?.throwIfAborted();
        const variant = await this.build(this.#model, method, nodesToExclude);
        built.push({ method, ...variant });
        const session = this.load(variant.model, isHostExact());
        session.catch(() => {});
        loading.push(session);
      }
      const sessions = await Promise.all(loading);
      const profiled = isHostExact() ? sessions.map((session) => new FirstRunProfile(session)) : undefined;
      const { candidates } = await scoreModels(original, profiled ?? sessions, selection, {
        logger: context.logger,
        signal: context.signal,
        label: 'Comparing',
      });
      const profiles = await Promise.all(profiled?.map((session) => session.records()) ?? []);
      return built.map((variant, i) => {
        const records = profiles[i];
        return { ...variant, score: candidates[i]!, integerKernels: records && integerKernelsOf(records) };
      });
    } finally {
      for (const loaded of await Promise.allSettled(loading)) {
        if (loaded.status === 'fulfilled') await loaded.value.release();
      }
    }
  }

  async one(method: CalibrationMethod, nodesToExclude: readonly string[]): Promise<Variant> {
    const [variant] = await this.run([{ method, nodesToExclude }]);
    return variant!;
  }

  async build(
    source: Model,
    method: CalibrationMethod,
    nodesToExclude: readonly string[],
    weightStepFactors: Readonly<Record<string, number>> = {},
  ): Promise<{ model: Model; run: PassRun }> {
    const { insertion, context, exactWeights } = this.#options;
    const model = cloneModel(source);
    const choice = { calibrationMethod: method, nodesToExclude: [...nodesToExclude], weightStepFactors };
    const pass = insertQdq(this.#table, { ...insertion, ...choice }, exactWeights);
    const [run] = await runPasses(model, [pass], context);
    return { model, run: run! };
  }

  load(model: Model, profile = false): Promise<Session> {
    const { engine, threads } = this.#options;
    const { pieces } = encodeModel(profile ? numberNodes(model) : model);
    return loadPieces(engine, pieces, { threads, exact: !isHostExact(), profile, label: 'the int8 model' });
  }
}

/** Layers whose return to float makes a poor model better, with the reason; greedy, the worst layer first. */
async function keepHarmful(
  trial: Trial,
  start: Variant,
  placement: Placement,
  { context, insertion }: QuantizeModelOptions,
): Promise<Map<string, string>> {
  const harmful = new Map<string, string>();
  const isPoor = ({ agreement, sqnrDb }: Comparison) =>
    (agreement !== null && agreement.high < HARMFUL_AGREEMENT) || (sqnrDb !== null && sqnrDb < HARMFUL_SQNR_DB);
  if (!isPoor(start.score)) return harmful;
  const excluded = insertion.nodesToExclude ?? [];
  const nodes = [...placement.roles].filter(([, role]) => role === 'weighted').map(([node]) => nodeName(node));
  const gains: { node: string; gain: number }[] = [];
  const tried = nodes.slice(0, MAX_TRIED_LAYERS);
  const progress = context.logger.progress('Looking for layers that int8 harms', tried.length);
  for (const [index, node] of tried.entries()) {
    context.signal?.throwIfAborted();
    const { score } = await trial.one(start.method, [...excluded, node]);
    gains.push({ node, gain: gainDb(start.score, score) });
    progress.update(index + 1);
  }
  progress.done();
  let current = start;
  for (const { node, gain } of gains.sort((a, b) => b.gain - a.gain)) {
    if (gain < WORTHWHILE_GAIN_DB || !isPoor(current.score)) break;
    const next = await trial.one(start.method, [...excluded, ...harmful.keys(), node]);
    const gained = gainDb(current.score, next.score);
    if (gained < WORTHWHILE_GAIN_DB) continue;
    harmful.set(node, `in int8 it costs ${gained.toFixed(1)} dB of the output's signal to noise ratio`);
    current = next;
  }
  return harmful;
}

function layersOf(placement: Placement, harmful: ReadonlyMap<string, string>): QuantizedLayer[] {
  const layers: QuantizedLayer[] = [];
  const add = (node: Node, keptFloat: string | undefined) =>
    layers.push({
      node: nodeName(node),
      opType: node.opType,
      output: effectiveOutput(node, placement.absorbed).name,
      keptFloat,
    });
  for (const [node, role] of placement.roles) if (role === 'weighted') add(node, harmful.get(nodeName(node)));
  for (const [node, reason] of placement.keptFloat) add(node, reason);
  return layers;
}

function nodeName(node: Node): string {
  return node.name || node.output.name;
}

function noise(score: Comparison): number {
  return score.sqnrDb === null ? Number.NEGATIVE_INFINITY : -score.sqnrDb;
}

function gainDb(before: Comparison, after: Comparison): number {
  return noise(before) - noise(after);
}

function describe({ sqnrDb, agreement }: Comparison): string {
  const same = agreement === null ? '' : `, ${(100 * agreement.value).toFixed(1)} % agreement`;
  return `${sqnrDb === null ? 'identical' : `${sqnrDb.toFixed(2)} dB`}${same}`;
}

import type { Measured } from '../budget/evidence.ts';
import { withMargin } from '../budget/judge-latency.ts';
import type { Device } from '../device/connect-device.ts';
import { pairedLatencyRatio } from '../evaluation/latency-statistics.ts';
import { scoreModels } from '../evaluation/score-models.ts';
import type { Model } from '../ir/model.ts';
import type { PassContext } from '../passes/pass.ts';
import type { ReportExecution } from '../report/execution-schema.ts';
import type { Engine, EngineLimits } from '../runtime/engine.ts';
import { startEngine } from '../runtime/engine.ts';
import { isHostExact } from '../runtime/host.ts';
import { quantileOf } from '../runtime/latency.ts';
import type { Runnable } from '../runtime/session.ts';
import { TemporaryFolder } from '../storage/temporary-folder.ts';
import type { ChosenProvider } from '../targets/choose-provider.ts';
import type { Target } from '../targets/target-schema.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import { anyFeeds } from './any-feeds.ts';
import { type Variant, VariantBuilder } from './build-variants.ts';
import type { ComparedLatency } from './compare-latency.ts';
import { engineThreads } from './engine-threads.ts';
import { profileEvidence, type Stopwatch, type Timed, timeVariants, variantRecord } from './execution-evidence.ts';
import { explainExecution, type Place, placeOf } from './explain-execution.ts';
import { chooseExecution as choose, isAcceptable, isOpen, verdictOf } from './judge-execution.ts';
import type { RunSamples } from './open-samples.ts';
import type { TargetNetwork } from './predict.ts';
import { lossOf, type StepsResult } from './run-steps.ts';
import { type PairedLatency, timeBesideOriginal } from './time-beside-original.ts';

export interface ExecutionInput {
  readonly modelPath: string;
  readonly original: Runnable;
  /** Reads the model as it came, should it be shipped. */
  readonly readOriginal: () => Model;
  readonly bytes: Uint8Array;
  readonly done: StepsResult;
  readonly samples: RunSamples;
  readonly target: Target;
  readonly provider: ChosenProvider;
  /** Of the original, for predictions. */
  readonly onTarget: TargetNetwork;
  /** Asked for; by default those of the target, as far as there are cores. */
  readonly askedThreads: number | undefined;
  readonly engine: Engine;
  readonly limits: EngineLimits;
  /** Connects to the device that is measured on; undefined where there is none. */
  readonly connect: (() => Promise<Device>) | undefined;
  readonly allowSlower: boolean;
  readonly context: PassContext;
  readonly seed: number;
}

/** What is shipped. */
export interface ChosenExecution {
  /** With the model, the layers and perhaps a step more than before. */
  readonly done: StepsResult;
  readonly bytes: Uint8Array;
  /** On this host. */
  readonly latency: PairedLatency;
  readonly onDevice: { readonly device: Device; readonly latency: PairedLatency } | undefined;
  readonly execution: ReportExecution;
}

/** Two sessions of one process, timed once, may differ by this much. */
const QUICK_MARGIN = 0.02;
/** Originals that take longer than this are not profiled layer by layer. */
const LONGEST_PROFILED_MS = 500;

/**
 * Sees to it that what is shipped is not slower than the original: by measuring on the device where there is one, else by the
 * target's profile where that tells int8 from float, else by measuring on this host. What the recipe made is shipped
 * unless it is slower; then mixed and float forms of the same weights are compared.
 */
export async function chooseExecution(input: ExecutionInput): Promise<ChosenExecution> {
  const { done, bytes, samples, original, seed, allowSlower, context } = input;
  const startedMs = performance.now();
  const folder = new TemporaryFolder();
  // Not before it is needed: what computes here for long would leave the connection without a sign of life.
  const device = input.provider.provider.name === 'cpu' ? await input.connect?.() : undefined;
  try {
    const feeds = await anyFeeds(original, samples, seed);
    const builder = new VariantBuilder(done, folder.path, context);
    const recipe = builder.recipe(bytes);
    const isDecided = (measured: PairedLatency) => !isOpen({ ...recipe, ratio: quickRatio(measured, seed) });
    const quick = await timeOnHost(input, recipe, feeds, isDecided);
    const found = await decide({ ...input, device }, builder, recipe, quick, feeds);
    const { shipped, place } = found;
    const because = explainExecution(found, { allowSlower });
    const execution: ReportExecution = {
      shipped: shipped.execution,
      because,
      allowedSlower: allowSlower,
      evidence: { kind: place.kind, label: place.label, notes: [...found.notes] },
      variants: found.timed.map((it) => variantRecord(it, verdictOf(it), it.path === shipped.path)),
    };
    const there = latencyOf(shipped, found);
    const onDevice = device === undefined || there === undefined ? undefined : { device, latency: there };
    const onHost = place.kind === 'host' ? there : undefined;
    if (shipped.path === recipe.path) return { done, bytes, latency: onHost ?? quick, onDevice, execution };
    return {
      done: await withVariant(input, found, because, performance.now() - startedMs),
      bytes: shipped.bytes,
      latency: onHost ?? (await timeOnHost(input, shipped, feeds)),
      onDevice,
      execution,
    };
  } finally {
    folder.remove();
    await device?.close();
  }
}

interface DecisionInput extends ExecutionInput {
  readonly device: Device | undefined;
}

/** What was compared, where, and which one is shipped. */
export interface Decision {
  readonly shipped: Variant;
  /** In the order of preference, what the recipe made first. */
  readonly timed: readonly Timed[];
  readonly place: Place;
  /** Why better evidence was not used. */
  readonly notes: readonly string[];
  readonly compared: readonly { readonly variants: readonly Variant[]; readonly latency: ComparedLatency }[];
}

async function decide(
  input: DecisionInput,
  builder: VariantBuilder,
  recipe: Variant,
  quick: PairedLatency,
  feeds: Feeds,
): Promise<Decision> {
  const { device, target, provider, askedThreads, allowSlower } = input;
  if (provider.provider.name !== 'cpu') {
    // Engines here and on devices have the CPU provider only.
    return { shipped: recipe, timed: [], place: placeOf({ kind: 'none', provider }), notes: [], compared: [] };
  }
  if (device !== undefined) {
    const place = placeOf({ kind: 'device', device, threads: engineThreads(askedThreads, target, device.description) });
    return measure(input, builder, { recipe, isOpen: true, place, quick, feeds, notes: [] });
  }
  const notes: string[] = [];
  if (recipe.execution === 'int8') {
    const told = profileEvidence(input.onTarget, recipe.model, target, askedThreads ?? target.threads);
    if ('ratio' in told) {
      const place = placeOf({ kind: 'profile', target, label: told.label });
      return byProfile(builder, { ...recipe, ratio: told.ratio }, place, allowSlower);
    }
    notes.push(told.note);
  }
  const place = placeOf({ kind: 'host', threads: engineThreads(askedThreads, target) });
  const timed = { ...recipe, ratio: quickRatio(quick, input.seed) };
  if (allowSlower || (isAcceptable(timed) && !isOpen(timed))) {
    return { shipped: recipe, timed: [timed], place, notes, compared: [] };
  }
  return measure(input, builder, { recipe, isOpen: isOpen(timed), place, quick, feeds, notes });
}

/** int8 is faster or slower there; the kernels of the original are those of the original. */
async function byProfile(
  builder: VariantBuilder,
  recipe: Timed,
  place: Place,
  allowSlower: boolean,
): Promise<Decision> {
  const alone = { timed: [recipe], place, notes: [], compared: [] };
  if (allowSlower || isAcceptable(recipe)) return { ...alone, shipped: recipe };
  const shipped = (await builder.weights()).find(({ sameKernels }) => sameKernels) ?? builder.float()!;
  return { ...alone, shipped, timed: [recipe, { ...shipped, ratio: { value: 1, low: 1, high: 1 } }] };
}

interface Measuring extends Pick<Decision, 'place' | 'notes'> {
  readonly recipe: Variant;
  /** Whether it may be as fast as the original, so that others need not be built. */
  readonly isOpen: boolean;
  readonly quick: PairedLatency;
  readonly feeds: Feeds;
}

/**
 * Measures until one variant is not slower: the recipe's, then all forms with int8 weights, then the float model.
 * The original needs no measurement.
 */
async function measure(
  input: DecisionInput,
  builder: VariantBuilder,
  { recipe, isOpen: isUndecided, place, notes, quick, feeds }: Measuring,
): Promise<Decision> {
  const { device, allowSlower, context, seed, modelPath } = input;
  const typicalMs = quantileOf(quick.original.roundsMs[0]!, 0.5);
  const stopwatch: Stopwatch = {
    start: () => startThere(device, input.limits, context),
    originalPath: modelPath,
    feeds,
    threads: place.threads,
    seed,
    typicalMs,
    context,
  };
  const compared: Decision['compared'][number][] = [];
  let timed: readonly Timed[] = [];
  const time = async (variants: readonly Variant[]) => {
    const result = await timeVariants(variants, stopwatch);
    compared.push({ variants, latency: result.compared });
    timed = [...timed.filter(({ path }) => !variants.some((it) => it.path === path)), ...result.timed];
    return result.timed;
  };
  const decision = (shipped: Variant): Decision => ({ shipped, timed, place, notes, compared });
  if (isUndecided) {
    const [alone] = await time([recipe]);
    if (allowSlower || isAcceptable(alone!)) return decision(recipe);
  }
  const alternatives = [...(await mixedVariants(builder, stopwatch)), ...(await builder.weights())];
  const chosen = choose(await time([recipe, ...alternatives]));
  if (chosen !== undefined) return decision(chosen);
  const float = builder.float();
  if (float !== undefined) {
    const [alone] = await time([float]);
    if (isAcceptable(alone!)) return decision(float);
  }
  return decision(builder.original(input.readOriginal()));
}

async function mixedVariants(builder: VariantBuilder, stopwatch: Stopwatch): Promise<readonly Variant[]> {
  const { typicalMs, start, threads, feeds, context } = stopwatch;
  if (typicalMs > LONGEST_PROFILED_MS) return [];
  const engine = await start();
  try {
    return await builder.mixed({ engine, threads, feeds, typicalMs, signal: context.signal });
  } finally {
    await engine.close();
  }
}

async function startThere(device: Device | undefined, limits: EngineLimits, { logger }: PassContext): Promise<Engine> {
  const engine = await (device === undefined ? startEngine({ logger }) : device.startEngine());
  await engine.limit(limits);
  return engine;
}

function timeOnHost(
  input: ExecutionInput,
  { path }: Variant,
  feeds: Feeds,
  isDecided?: (measured: PairedLatency) => boolean,
): Promise<PairedLatency> {
  const threads = engineThreads(input.askedThreads, input.target);
  return timeBesideOriginal({ ...input, threads }, path, feeds, isDecided);
}

function quickRatio({ original, compressed }: PairedLatency, seed: number): Measured {
  const { ratio, interval } = pairedLatencyRatio(compressed.roundsMs, original.roundsMs, { seed });
  return withMargin({ value: ratio, ...interval }, QUICK_MARGIN);
}

/** The runs of the shipped variant and of the original in the last comparison it took part in. */
function latencyOf(shipped: Variant, { compared, timed }: Decision): PairedLatency | undefined {
  const last = compared.findLast(({ variants }) => variants.some(({ path }) => path === shipped.path));
  if (last === undefined) return undefined;
  const index = last.variants.findIndex(({ path }) => path === shipped.path);
  const ratio = timed.find(({ path }) => path === shipped.path)?.ratio;
  return {
    original: { label: 'original', roundsMs: last.latency.roundsMs[0]! },
    compressed: { label: 'compressed', roundsMs: last.latency.roundsMs[index + 1]! },
    ...(ratio === undefined ? {} : { ratio }),
  };
}

/** The steps with one more: what is shipped in place of what the recipe made. */
async function withVariant(
  { done, original, samples, engine, target, askedThreads, context }: ExecutionInput,
  { shipped, place, timed }: Decision,
  because: string,
  durationMs: number,
): Promise<StepsResult> {
  let loss: StepsResult['steps'][number]['loss'] = null;
  if (samples.selection !== undefined) {
    const threads = engineThreads(askedThreads, target);
    const exact = !isHostExact();
    const session = await engine.load(shipped.path, { threads, exact, label: 'the shipped model', temporary: true });
    const { candidates } = await scoreModels(original, [session], samples.selection, {
      logger: context.logger,
      signal: context.signal,
      label: 'Comparing',
    });
    await session.release();
    loss = lossOf(candidates[0]!, samples.selection);
  }
  const inFloat = new Set(shipped.inFloat);
  const slower = timed[0]!;
  const reason = `for speed: ${slower.execution} would take ${slower.ratio.value.toFixed(2)} × the time ${place.where}`;
  const step = {
    name: 'Choose what is not slower',
    pass: 'choose-execution',
    modified: true,
    durationMs,
    onnxBytes: shipped.bytes.length,
    changes: [{ kind: 'ship', subject: shipped.execution, detail: because }, ...shipped.changes],
    loss,
  };
  return {
    ...done,
    model: shipped.model,
    layers: done.layers.map((layer) => (inFloat.has(layer.node) ? { ...layer, keptFloat: reason } : layer)),
    steps: [...done.steps, step],
  };
}

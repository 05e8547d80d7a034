import type { Dataset } from '../data/dataset.ts';
import { feedsOf } from '../data/feeds-of.ts';
import { overlap } from '../data/overlap.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import type { Logger } from '../diagnostics/logger.ts';
import { printable } from '../diagnostics/printable.ts';
import { cloneModel } from '../formats/onnx/clone-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import type { Graph } from '../ir/graph.ts';
import type { Model } from '../ir/model.ts';
import { attr } from '../ir/node.ts';
import { type Attribute, tensorType } from '../ir/types.ts';
import type { Value } from '../ir/value.ts';
import type { CalibrationTable } from '../quantization/calibration-table.ts';
import type { ActivationStatistics } from '../quantization/choose-range.ts';
import type { Engine } from '../runtime/engine.ts';
import { loadPieces } from '../runtime/load-pieces.ts';
import type { AccumulatorRequest, Statistics } from '../runtime/statistics.ts';
import { DataType } from '../tensor/data-type.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import { Tensor } from '../tensor/tensor.ts';

/** What an algorithm wants to know of the activations. */
export interface StatisticsNeeds {
  /** Values whose range is wanted. */
  readonly ranges: readonly string[];
  /**
   * `extremes`: the smallest and largest value, to 12 bits. `histogram`: how the values are spread, from an even selection of
   * the elements of large tensors, with the extremes of that selection; faster, and all that clipping methods need.
   */
  readonly rangeSource: 'extremes' | 'histogram';
  /** Values whose mean per channel is wanted, with the channel axis (negative: from the end). */
  readonly channelMeans: ReadonlyMap<string, number>;
}

/** Answers of the model that are fetched on the way, because other models will be compared with them. */
export interface WantedAnswers {
  readonly outputNames: readonly string[];
  wants(feeds: Feeds): boolean;
  take(feeds: Feeds, answer: Feeds): void;
}

export interface CollectOptions {
  readonly engine: Engine;
  readonly threads: number;
  readonly logger: Logger;
  readonly signal?: AbortSignal | undefined;
  /** When the engine has room for the model; what needs no engine is done before. */
  readonly engineFree?: Promise<void>;
  readonly answers?: WantedAnswers | undefined;
}

/** Elements of a value, per sample, that a histogram counts at most (about). */
const HISTOGRAM_SAMPLE = 8192;

/**
 * Runs the samples once through the model and gathers all statistics on the way. Extremes and means are computed by
 * reductions added to the graph; only they, and the values of histograms, leave the engine's kernels, and nothing but the
 * finished statistics leaves its process. Memory does not grow with the number of samples.
 * @throws EdgepackError `data-mismatch` naming the first value that is NaN or infinite on some sample.
 */
export async function collectStatistics(
  model: Model,
  samples: Dataset,
  needs: StatisticsNeeds,
  { engine, threads, logger, signal, engineFree, answers }: CollectOptions,
): Promise<CalibrationTable> {
  const probe = new ProbedModel(model, needs);
  if (Object.keys(probe.request).length === 0) return probe.table({}, samples.count);
  const fetched = answers !== undefined && probe.giveOutputs(answers.outputNames) ? answers : undefined;
  // Nothing else runs in the engine meanwhile, so its threads may spin.
  const pieces = probe.encode();
  await engineFree;
  const session = await loadPieces(engine, pieces, { threads, spin: true, label: 'the calibration model' });
  const progress = logger.progress('Calibrating', samples.count);
  try {
    let done = 0;
    const work = async (feeds: Feeds) => {
      if (fetched?.wants(feeds) !== true) return session.collect(feeds, probe.request);
      const answer = await session.collect(feeds, probe.request, fetched.outputNames);
      fetched.take(feeds, answer);
    };
    await overlap(feedsOf(samples, signal), work, () => progress.update(++done));
    return probe.table(await session.statistics(), samples.count);
  } finally {
    progress.done();
    await session.release();
  }
}

class ProbedModel {
  readonly request: Record<string, AccumulatorRequest> = {};
  readonly #model: Model;
  readonly #graph: Graph;
  readonly #extremes = new Map<string, { min: string; max: string }>();
  readonly #histograms = new Map<string, string>();
  readonly #means = new Map<string, string>();

  constructor(model: Model, needs: StatisticsNeeds) {
    this.#model = cloneModel(model);
    this.#graph = this.#model.graph;
    const values = valuesByName(this.#graph);
    const shapes = valuesByName(model.graph);
    this.#graph.outputs.length = 0;
    for (const name of needs.ranges) {
      const value = values.get(name)!;
      if (needs.rangeSource === 'histogram') {
        const histogram = this.#thinned(value, shapes.get(name)!);
        this.request[histogram] = { histogram: {} };
        this.#histograms.set(name, histogram);
      } else {
        const min = this.#reduce('ReduceMin', value, undefined);
        const max = this.#reduce('ReduceMax', value, undefined);
        this.request[min] = { minMax: {} };
        this.request[max] = { minMax: {} };
        this.#extremes.set(name, { min, max });
      }
    }
    for (const [name, axis] of needs.channelMeans) {
      const rank = shapes.get(name)?.shape?.length;
      if (rank === undefined) continue;
      const channelAxis = axis < 0 ? axis + rank : axis;
      if (rank === 4 && channelAxis === 1) {
        const mean = this.#probe('GlobalAveragePool', [values.get(name)!], []);
        this.request[mean] = { moments: { axis: 1 } };
        this.#means.set(name, mean);
        continue;
      }
      const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== channelAxis);
      const mean = this.#reduce('ReduceMean', values.get(name)!, axes);
      this.request[mean] = { moments: { axis: 0 } };
      this.#means.set(name, mean);
    }
  }

  /** Makes outputs of the model outputs of this one too; false where one of them is not computed (a constant). */
  giveOutputs(names: readonly string[]): boolean {
    const all = valuesByName(this.#graph);
    const values = names.map((name) => all.get(name));
    for (const value of values) if (value !== undefined) this.#expose(value);
    return !values.includes(undefined);
  }

  encode(): readonly Uint8Array[] {
    return encodeModel(this.#model).pieces;
  }

  /** @throws EdgepackError `data-mismatch` naming the first value that is NaN or infinite. */
  table(statistics: Statistics, sampleCount: number): CalibrationTable {
    const activations = new Map<string, ActivationStatistics>();
    for (const [name, outputs] of this.#extremes) {
      const [low, high] = [statistics[outputs.min]!.minMax!, statistics[outputs.max]!.minMax!];
      const range = { min: low.min[0] ?? 0, max: high.max[0] ?? 0 };
      requireFinite(name, low.nanCount === 0 && Number.isFinite(range.min) && Number.isFinite(range.max));
      activations.set(name, { min: steady(range.min), max: steady(range.max) });
    }
    for (const [name, output] of this.#histograms) {
      const histogram = statistics[output]!.histogram!;
      const { lower, upper, nonFiniteCount } = histogram;
      requireFinite(name, nonFiniteCount === 0);
      activations.set(name, { min: lower[0] ?? 0, max: upper.at(-1) ?? 0, histogram });
    }
    const channelMeans = new Map<string, Float64Array>();
    for (const [name, output] of this.#means) {
      const { count, sum } = statistics[output]!.moments!;
      const means = sum.map((value) => value / count);
      // Sums see every element; selections, and the engine's search for extremes, may pass a NaN by.
      requireFinite(name, means.every(Number.isFinite));
      channelMeans.set(name, means);
    }
    return { sampleCount, activations, channelMeans };
  }

  #reduce(opType: string, value: Value, axes: readonly number[] | undefined): string {
    const axesAsInput = this.#model.opset >= 18;
    const inputs: Value[] = [value];
    const attributes = [attr.int('keepdims', 0)];
    if (axes !== undefined && axesAsInput)
      inputs.push(this.#graph.addInitializer(Tensor.int64('axes', [axes.length], axes)));
    else if (axes !== undefined) attributes.push(attr.ints('axes', axes));
    return this.#probe(opType, inputs, attributes);
  }

  #probe(opType: string, inputs: readonly Value[], attributes: readonly Attribute[]): string {
    const node = this.#graph.create(opType, inputs, { outputNames: [`${opType}_probe`], attributes });
    node.output.type = tensorType(DataType.float32, undefined);
    return this.#expose(node.output);
  }

  /**
   * A value, or where it is large an even selection of its elements, as an output of the graph. Of images every `s`-th row
   * and column is taken, by a pool whose window is one element: the engine has pools for the layout that its convolutions
   * compute in, and would rearrange the whole value for anything else.
   */
  #thinned(value: Value, shaped: Value): string {
    const elementCount = elementCountOf(shaped);
    if (thinningStride(elementCount) === 1) return this.#expose(value);
    const [, , ...sides] = shaped.shape?.length === 4 ? shaped.shape : [];
    let selected = value;
    let selectedCount = elementCount;
    const step = Math.ceil(Math.sqrt(elementCount / HISTOGRAM_SAMPLE));
    if (sides.length > 0 && sides.every((side) => typeof side === 'number' && side >= step)) {
      const attributes = [attr.ints('kernel_shape', [1, 1]), attr.ints('strides', [step, step])];
      selected = this.#graph.create('MaxPool', [value], { outputNames: ['grid_probe'], attributes }).output;
      for (const side of sides as number[]) selectedCount = (selectedCount / side) * Math.ceil(side / step);
    }
    const stride = selected === value || selectedCount > 2 * HISTOGRAM_SAMPLE ? thinningStride(selectedCount) : 1;
    if (stride === 1) return this.#expose(selected);
    const constant = (name: string, element: number) => this.#graph.addInitializer(Tensor.int64(name, [1], [element]));
    const flat = this.#graph.create('Reshape', [selected, constant('flat', -1)]);
    const end = constant('end', Number.MAX_SAFE_INTEGER);
    const slice = this.#graph.create(
      'Slice',
      [flat.output, constant('start', 0), end, constant('axis', 0), constant('stride', stride)],
      { outputNames: ['histogram_probe'] },
    );
    return this.#expose(slice.output);
  }

  #expose(value: Value): string {
    if (!this.#graph.isOutput(value)) {
      value.type ??= tensorType(DataType.float32, undefined);
      this.#graph.outputs.push(value);
    }
    return value.name;
  }
}

/**
 * To 12 significant bits: far finer than the 8 bits of a quantized value, and coarse enough that the last bits of a float
 * kernel, which differ from processor to processor, hardly ever make another scale.
 */
function steady(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 11);
  return Math.round(value / unit) * unit;
}

function requireFinite(name: string, holds: boolean): void {
  if (holds) return;
  throw new EdgepackError('data-mismatch', `the value '${printable(name)}' is NaN or infinite on calibration samples`, {
    location: { tensor: name },
    hint: 'look for such numbers in the samples, and for divisions by zero, log and sqrt in the model before this value',
  });
}

function valuesByName(graph: Graph): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const value of graph.inputs) values.set(value.name, value);
  for (const node of graph.nodes()) for (const output of node.outputs) values.set(output.name, output);
  return values;
}

/** Elements of a value with every unknown dimension taken as 1. */
function elementCountOf(value: Value): number {
  return (value.shape ?? []).reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 1), 1);
}

/** A step without small factors, so that it does not fall in with the rows or channels of a tensor. */
function thinningStride(elementCount: number): number {
  let stride = Math.ceil(elementCount / HISTOGRAM_SAMPLE);
  if (stride <= 1) return 1;
  while ([2, 3, 5, 7].some((factor) => stride % factor === 0)) stride++;
  return stride;
}

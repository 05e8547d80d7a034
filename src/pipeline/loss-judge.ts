import type { Dataset } from '../data/dataset.ts';
import { feedsOf } from '../data/feeds-of.ts';
import { overlap } from '../data/overlap.ts';
import { AnswerMargins, marginNoise } from '../evaluation/expected-loss.ts';
import { outputNoise } from '../evaluation/output-noise.ts';
import { classScores, floatOutputs, scoreModels } from '../evaluation/score-models.ts';
import { klDivergence, logitsOf } from '../evaluation/statistics.ts';
import type { PassContext } from '../passes/pass.ts';
import type { Runnable } from '../runtime/session.ts';
import type { Feeds } from '../tensor/nd-array.ts';

/** What the samples say of a variant of the model. */
export interface Verdict {
  readonly admissible: boolean;
  /** Noise at the outputs, and how much of it could be admitted. */
  readonly noise: number;
  readonly noiseLimit: number;
  /** In one line, for the report. */
  readonly description: string;
}

/** Judges variants against the original by their outputs on the selection samples. */
export interface LossJudge {
  judge(variant: Runnable): Promise<Verdict>;
  /** Noise in the outputs of one run, in the unit of {@link Verdict.noise}. */
  readonly noise: (reference: Feeds, changed: Feeds, outputNames: readonly string[]) => number;
}

export interface LossJudgeOptions {
  readonly original: Runnable;
  readonly statistics: Dataset;
  readonly selection: Dataset;
  /** In percentage points. */
  readonly maxAccuracyDrop: number;
  readonly context: PassContext;
}

/** Share of the limit that is spent: samples that calibrate are often those that trained, which a model knows too well. */
const AIM = 0.6;
/** Upper end of the mean KL divergence from the original, in nats, beyond which no variant is taken. */
const MAX_KL_DIVERGENCE = 0.1;
const Z95 = 1.645;
/** Samples that are kept in memory rather than read again for each variant, the most. */
const KEPT_FEED_BYTES = 2 ** 27;
/** Outputs that are no classes: noise as a share of the signal that is admitted (20 dB), and as a multiple of that of int8. */
const MAX_OUTPUT_NOISE = 0.01;
const MAX_NOISE_GROWTH = 2;

export async function lossJudge(options: LossJudgeOptions): Promise<LossJudge> {
  return (await ClassJudge.open(options)) ?? new OutputJudge(options);
}

class ClassJudge implements LossJudge {
  readonly #options: LossJudgeOptions;
  readonly #names: readonly string[];
  readonly #reference: readonly Float32Array[];
  readonly #margins: AnswerMargins;
  readonly #feeds: readonly Feeds[] | undefined;

  private constructor(
    options: LossJudgeOptions,
    names: readonly string[],
    reference: readonly Float32Array[],
    margins: AnswerMargins,
    feeds: readonly Feeds[] | undefined,
  ) {
    this.#options = options;
    this.#names = names;
    this.#reference = reference;
    this.#margins = margins;
    this.#feeds = feeds;
  }

  /**
   * Runs the original over all calibration samples: what its answers can stand depends on no variant. Undefined where the
   * output of some sample is not one row of class scores.
   */
  static async open(options: LossJudgeOptions): Promise<ClassJudge | undefined> {
    const { original, selection, statistics, context } = options;
    const names = floatOutputs(original);
    const first = await original.run(await selection.feed(0), names);
    if (classScores(first, names) === undefined) return undefined;
    const feeds = await keptFeeds(selection);
    const progress = context.logger.progress('Reading what the answers can stand', selection.count + statistics.count);
    const advance = (rows: number) => progress.update(rows);
    try {
      const reference = await rowsOf(original, feeds ?? feedsOf(selection, context.signal), names, advance);
      const others = await rowsOf(original, feedsOf(statistics, context.signal), names, (rows) =>
        advance(selection.count + rows),
      );
      if (reference === undefined || others === undefined) return undefined;
      return new ClassJudge(options, names, reference, marginsOf(options, [...reference, ...others]), feeds);
    } finally {
      progress.done();
    }
  }

  noise(reference: Feeds, changed: Feeds, names: readonly string[]): number {
    return marginNoise([classScores(reference, names)!], [classScores(changed, names)!]).meanSquare;
  }

  async judge(variant: Runnable): Promise<Verdict> {
    const { selection, maxAccuracyDrop, context } = this.#options;
    const rows = (await rowsOf(variant, this.#feeds ?? feedsOf(selection, context.signal), this.#names))!;
    const noise = marginNoise(this.#reference, rows);
    const limit = (AIM * maxAccuracyDrop) / 100;
    const loss = this.#margins.expectedLoss(noise);
    const relativeError = noise.meanSquare === 0 ? 0 : noise.standardError / noise.meanSquare;
    const divergence = upperMean(this.#reference.map((row, i) => klDivergence(logitsOf(row), logitsOf(rows[i]!))));
    // More changed answers than the noise explains: then it is no noise.
    const expected = loss.changed * noise.samples;
    const surprising = noise.changedAnswers > expected + 3 * Math.sqrt(expected) + 2;
    return {
      admissible: loss.high <= limit && divergence <= MAX_KL_DIVERGENCE && !surprising,
      noise: noise.meanSquare,
      noiseLimit: this.#margins.noiseFor(limit, relativeError),
      description:
        `expected loss ${points(loss.value)} points, at most ${points(loss.high)} (aim ${points(limit)}); ` +
        `${noise.changedAnswers} of ${noise.samples} answers changed, ${(100 * loss.changed).toFixed(1)} % expected to; ` +
        `KL at most ${divergence.toFixed(4)}`,
    };
  }
}

/** Where outputs are not classes no loss of accuracy is known: the noise may grow by half its amplitude over that of int8. */
class OutputJudge implements LossJudge {
  readonly #options: LossJudgeOptions;
  #noiseLimit: number | undefined;

  constructor(options: LossJudgeOptions) {
    this.#options = options;
  }

  noise = outputNoise;

  async judge(variant: Runnable): Promise<Verdict> {
    const { original, selection, context } = this.#options;
    const { candidates } = await scoreModels(original, [variant], selection, {
      logger: context.logger,
      signal: context.signal,
      label: 'Comparing',
    });
    const { sqnrDb } = candidates[0]!;
    const noise = sqnrDb === null ? 0 : 10 ** (-sqnrDb / 10);
    // The first to be judged is plain int8.
    this.#noiseLimit ??= Math.min(MAX_OUTPUT_NOISE, MAX_NOISE_GROWTH * noise);
    return {
      admissible: noise <= this.#noiseLimit,
      noise,
      noiseLimit: this.#noiseLimit,
      description: `SQNR ${sqnrDb === null ? 'infinite' : `${sqnrDb.toFixed(1)} dB`} (at least ${(-10 * Math.log10(this.#noiseLimit)).toFixed(1)} dB)`,
    };
  }
}

function marginsOf({ selection, statistics }: LossJudgeOptions, rows: readonly Float32Array[]): AnswerMargins {
  const isLabelled = selection.labels !== undefined && statistics.labels !== undefined;
  return new AnswerMargins(rows, isLabelled ? [...selection.labels, ...statistics.labels] : undefined);
}

/** One row for each sample; undefined where some output is none. */
async function rowsOf(
  session: Runnable,
  samples: AsyncIterable<Feeds> | readonly Feeds[],
  names: readonly string[],
  advance: (rows: number) => void = () => {},
): Promise<Float32Array[] | undefined> {
  const rows: (Float32Array | undefined)[] = [];
  await overlap(
    iterate(samples),
    (feeds) => session.run(feeds, names),
    (outputs) => {
      rows.push(classScores(outputs, names));
      advance(rows.length);
    },
  );
  return rows.every((row) => row !== undefined) ? rows : undefined;
}

async function* iterate(samples: AsyncIterable<Feeds> | readonly Feeds[]): AsyncGenerator<Feeds, void, undefined> {
  yield* samples;
}

async function keptFeeds(samples: Dataset): Promise<Feeds[] | undefined> {
  const kept: Feeds[] = [];
  let bytes = 0;
  for await (const feeds of feedsOf(samples)) {
    for (const { data } of Object.values(feeds)) bytes += data.byteLength;
    if (bytes > KEPT_FEED_BYTES) return undefined;
    kept.push(feeds);
  }
  return kept;
}

/** Upper end of the one-sided 95 % interval of a mean. */
function upperMean(values: readonly number[]): number {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, n - 1);
  return mean + Z95 * Math.sqrt(variance / n);
}

function points(share: number): string {
  return (100 * share).toFixed(2);
}

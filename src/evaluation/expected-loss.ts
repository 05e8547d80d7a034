import { logitsOf, topK } from './statistics.ts';

/** The original model's answer to one sample: how far its best class is ahead of each rival. */
interface Answer {
  /** The best class, then its rivals, best first. */
  readonly classes: readonly number[];
  readonly margins: Float64Array;
  /** How much likelier the best class is than the rival, by the sharpened probabilities. */
  readonly gaps: Float64Array;
}

/** Power of the noise that a change adds to the margins between classes. */
export interface MarginNoise {
  /** Mean square, in squared logits. */
  readonly meanSquare: number;
  /** Of the mean square, from sample to sample; wider where they are few, so that normal quantiles apply. */
  readonly standardError: number;
  /** Samples whose best class has changed. */
  readonly changedAnswers: number;
  readonly samples: number;
}

/** A loss of accuracy that is expected of a noise, as a share of the samples. */
export interface ExpectedLoss {
  readonly value: number;
  /** Upper end of the one-sided 95 % interval, over the samples and over the noise. */
  readonly high: number;
  /** Share of the answers that are expected to change. */
  readonly changed: number;
}

/** Rivals of the best class that are looked at. */
const RIVALS = 5;
/** One-sided 95 % quantile of the normal distribution. */
const Z95 = 1.645;
/** Probabilities below e^this are not told from one another: outputs of a softmax in float32, or in int8, are coarse there. */
const LOWEST_LOG_PROBABILITY = -14;
/** How often an original model is right, at least, where no labels tell: one that is less sure is taken to be too modest. */
const ASSUMED_ACCURACY = 0.9;

/**
 * What a classifier's answers can stand. A small change of the weights acts on the margins between the best class and
 * its rivals like noise; an answer changes where the noise exceeds the margin, and costs as much accuracy as the best class was
 * likelier to be right than the rival. Both are smooth in the noise, so few samples tell a loss that no count of
 * changed answers could show. Probabilities are the model's own, sharpened where it is right more often than it claims: by
 * labels, or where there are none, to {@link ASSUMED_ACCURACY}. Labels do nothing else.
 * Source of the calibration: C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017 (temperature scaling).
 */
export class AnswerMargins {
  readonly #answers: readonly Answer[];

  /** @param rows the original's class scores, one row for each sample; @param labels their classes, where known. */
  constructor(rows: readonly ArrayLike<number>[], labels: ArrayLike<number> | undefined) {
    const logits = rows.map(scoresOf);
    const temperature = temperatureOf(logits, labels);
    this.#answers = logits.map((row) => answerOf(row, temperature));
  }

  get samples(): number {
    return this.#answers.length;
  }

  /** The loss to expect of a noise, with its upper end. */
  expectedLoss(noise: Pick<MarginNoise, 'meanSquare' | 'standardError'>): ExpectedLoss {
    const middle = this.#at(noise.meanSquare);
    const upper = this.#at(noise.meanSquare + Z95 * noise.standardError);
    return { value: middle.loss, high: Math.min(1, upper.loss + Z95 * upper.standardError), changed: middle.changed };
  }

  /** The largest mean square whose expected loss has its upper end at `limit`; the noise's own error is `relativeError` of it. */
  noiseFor(limit: number, relativeError: number): number {
    const fits = (meanSquare: number) =>
      this.expectedLoss({ meanSquare, standardError: relativeError * meanSquare }).high <= limit;
    let low = -40;
    let high = 40;
    if (!fits(2 ** low)) return 0;
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (fits(2 ** middle)) low = middle;
      else high = middle;
    }
    return 2 ** low;
  }

  #at(meanSquare: number): { loss: number; standardError: number; changed: number } {
    const deviation = Math.sqrt(meanSquare);
    let sum = 0;
    let sumOfSquares = 0;
    let changes = 0;
    for (const { margins, gaps } of this.#answers) {
      let loss = 0;
      let changed = 0;
      for (let j = 0; j < margins.length; j++) {
        const overtaken = deviation === 0 ? 0 : normalTail(margins[j]! / deviation);
        loss += overtaken * gaps[j]!;
        changed += overtaken;
      }
      loss = Math.min(1, loss);
      sum += loss;
      sumOfSquares += loss * loss;
      changes += Math.min(1, changed);
    }
    const n = Math.max(1, this.#answers.length);
    const mean = sum / n;
    const variance = Math.max(0, sumOfSquares / n - mean * mean);
    return { loss: mean, standardError: fewSamplesFactor(n) * Math.sqrt(variance / n), changed: changes / n };
  }
}

/** The noise on the margins between the reference's best class and its rivals, sample by sample. */
export function marginNoise(
  reference: readonly ArrayLike<number>[],
  changed: readonly ArrayLike<number>[],
): MarginNoise {
  const squares = reference.map((row, i) => {
    const before = scoresOf(row);
    const after = scoresOf(changed[i]!);
    const [best, ...rivals] = topK(before, RIVALS + 1) as [number, ...number[]];
    let sum = 0;
    for (const rival of rivals) sum += (after[best]! - before[best]! - (after[rival]! - before[rival]!)) ** 2;
    return sum / Math.max(1, rivals.length);
  });
  const n = squares.length;
  const meanSquare = squares.reduce((a, b) => a + b, 0) / n;
  const variance = squares.reduce((a, b) => a + (b - meanSquare) ** 2, 0) / Math.max(1, n - 1);
  const changedAnswers = reference.filter((row, i) => topK(row, 1)[0] !== topK(changed[i]!, 1)[0]).length;
  const standardError = fewSamplesFactor(n) * Math.sqrt(variance / n);
  return { meanSquare, standardError, changedAnswers, samples: n };
}

/** Student's 95 % quantile over the normal one, about, for a mean of `n` values. Abramowitz and Stegun, formula 26.7.5. */
function fewSamplesFactor(n: number): number {
  return 1 + (Z95 * Z95 + 1) / (4 * Math.max(1, n - 1));
}

function scoresOf(row: ArrayLike<number>): Float64Array {
  const logits = logitsOf(row);
  return logits.every((value, i) => value === row[i])
    ? logits
    : logits.map((value) => Math.max(LOWEST_LOG_PROBABILITY, value));
}

function answerOf(logits: Float64Array, temperature: number): Answer {
  const classes = topK(logits, RIVALS + 1);
  const probabilities = softmax(logits, temperature);
  const [best, ...rivals] = classes as [number, ...number[]];
  return {
    classes,
    margins: Float64Array.from(rivals, (rival) => logits[best]! - logits[rival]!),
    gaps: Float64Array.from(rivals, (rival) => probabilities[best]! - probabilities[rival]!),
  };
}

/** 1, or less where the model claims to be right less often than it is. */
function temperatureOf(rows: readonly Float64Array[], labels: ArrayLike<number> | undefined): number {
  const right = rows.filter((row, i) => topK(row, 1)[0] === labels?.[i]).length;
  const accuracy = labels === undefined ? ASSUMED_ACCURACY : right / Math.max(1, rows.length);
  const confidence = (temperature: number) =>
    rows.reduce((sum, row) => sum + softmax(row, temperature).reduce((a, b) => Math.max(a, b), 0), 0) / rows.length;
  if (rows.length === 0 || confidence(1) >= accuracy) return 1;
  let low = -20;
  let high = 0;
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (confidence(2 ** middle) >= accuracy) low = middle;
    else high = middle;
  }
  return 2 ** low;
}

function softmax(logits: Float64Array, temperature: number): Float64Array {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const row = logits.map((value) => Math.exp((value - highest) / temperature));
  const sum = row.reduce((a, b) => a + b, 0);
  return row.map((value) => value / sum);
}

/** P(X > x) of a standard normal X, for x >= 0. Source: Abramowitz and Stegun, formula 7.1.26, absolute error below 1e-7. */
function normalTail(x: number): number {
  const z = x / Math.SQRT2;
  const t = 1 / (1 + 0.327_591_1 * z);
  const polynomial =
    ((((1.061_405_429 * t - 1.453_152_027) * t + 1.421_413_741) * t - 0.284_496_736) * t + 0.254_829_592) * t;
  return 0.5 * polynomial * Math.exp(-z * z);
}

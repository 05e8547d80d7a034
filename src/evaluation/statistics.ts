/** A share of `samples` with its 95 % confidence interval. */
export interface ShareInterval {
  /** successes / samples. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Two-sided 95 % quantile of the normal distribution. */
export const z95 = 1.959963984540054;

/**
 * The Wilson score interval of a share: it stays inside [0, 1] and holds for few samples and for shares near 0 or 1.
 * Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
 * @throws RangeError without samples or where there are more successes than samples.
 */
export function wilsonInterval(successes: number, samples: number, z = z95): ShareInterval {
  if (!(samples > 0) || successes < 0 || successes > samples) {
    throw new RangeError(`${successes} of ${samples} is not a share`);
  }
  const value = successes / samples;
  const denominator = 1 + z ** 2 / samples;
  const centre = (value + z ** 2 / (2 * samples)) / denominator;
  const half = (z / denominator) * Math.sqrt((value * (1 - value)) / samples + z ** 2 / (4 * samples ** 2));
  return {
    value,
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === samples ? 1 : Math.min(1, centre + half),
  };
}

/** Accuracy before minus accuracy after, sample by sample. */
export interface PairedDifference {
  /** Right before, wrong after. */
  readonly b: number;
  /** Wrong before, right after. */
  readonly c: number;
  /** (b - c) / samples: positive is a loss. */
  readonly difference: number;
  /** sqrt(b + c) / samples: the standard error where nothing changed in truth. */
  readonly standardError: number;
}

/**
 * The paired difference of two models on the same samples: only samples they judge differently count.
 * Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12 (1947).
 * @throws RangeError without samples or where b + c exceeds them.
 */
export function pairedDifference(b: number, c: number, samples: number): PairedDifference {
  if (!(samples > 0) || b < 0 || c < 0 || b + c > samples) {
    throw new RangeError(`${b} and ${c} of ${samples} are no paired counts`);
  }
  return { b, c, difference: (b - c) / samples, standardError: Math.sqrt(b + c) / samples };
}

/** Indices of the `k` largest scores, largest first; of equal scores the lower index first; NaN counts as the lowest. */
export function topK(scores: ArrayLike<number>, k: number): number[] {
  const best: number[] = [];
  for (let index = 0; index < scores.length; index++) {
    const score = rank(scores[index]!);
    let place = best.length;
    while (place > 0 && rank(scores[best[place - 1]!]!) < score) place--;
    if (place >= k) continue;
    best.splice(place, 0, index);
    if (best.length > k) best.pop();
  }
  return best;
}

function rank(score: number): number {
  return Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score;
}

/** Share of the rows whose largest score is at the same place in both; rows are as in {@link topK}. */
export function agreement(reference: readonly ArrayLike<number>[], other: readonly ArrayLike<number>[]): ShareInterval {
  if (reference.length !== other.length) throw new RangeError(`${reference.length} rows against ${other.length}`);
  let same = 0;
  for (const [index, row] of reference.entries()) {
    if (topK(row, 1)[0] === topK(other[index]!, 1)[0]) same++;
  }
  return wilsonInterval(same, reference.length);
}

/**
 * Signal to quantization noise ratio in dB: 10 log10(sum reference² / sum (reference - other)²).
 * Infinity where both are identical, -Infinity where the reference is zero and the other is not.
 */
export function sqnrDb(reference: ArrayLike<number>, other: ArrayLike<number>): number {
  const { signal, noise } = energies(reference, other);
  return sqnrDbOfEnergies(signal, noise);
}

/** {@link sqnrDb} of sums that were collected piece by piece with {@link energies}. */
export function sqnrDbOfEnergies(signal: number, noise: number): number {
  if (noise === 0) return Number.POSITIVE_INFINITY;
  return 10 * Math.log10(signal / noise);
}

/** Sum of reference² (`signal`) and of (reference - other)² (`noise`), in double precision. */
export function energies(
  reference: ArrayLike<number>,
  other: ArrayLike<number>,
): { readonly signal: number; readonly noise: number } {
  sameLength(reference, other);
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < reference.length; i++) {
    const value = reference[i]!;
    const error = value - other[i]!;
    signal += value * value;
    noise += error * error;
  }
  return { signal, noise };
}

/** Cosine of the angle between two vectors, in [-1, 1]; 1 where both are zero, 0 where one is. */
export function cosine(reference: ArrayLike<number>, other: ArrayLike<number>): number {
  sameLength(reference, other);
  let dot = 0;
  let a = 0;
  let b = 0;
  for (let i = 0; i < reference.length; i++) {
    dot += reference[i]! * other[i]!;
    a += reference[i]! ** 2;
    b += other[i]! ** 2;
  }
  if (a === 0 || b === 0) return a === b ? 1 : 0;
  return Math.max(-1, Math.min(1, dot / (Math.sqrt(a) * Math.sqrt(b))));
}

/**
 * Kullback-Leibler divergence KL(softmax(reference) || softmax(other)) of two rows of logits, in nats, at least 0.
 * Rows that are probabilities already go through {@link logitsOf} first.
 */
export function klDivergence(reference: ArrayLike<number>, other: ArrayLike<number>): number {
  sameLength(reference, other);
  const p = logSoftmax(reference);
  const q = logSoftmax(other);
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const probability = Math.exp(p[i]!);
    if (probability > 0) sum += probability * (p[i]! - q[i]!);
  }
  return Math.max(0, sum);
}

/** A row of scores as logits: the logarithms where the row holds probabilities that add up to 1, the row itself otherwise. */
export function logitsOf(scores: ArrayLike<number>): Float64Array {
  const row = Float64Array.from(scores);
  const total = row.reduce((sum, value) => sum + value, 0);
  const areProbabilities = Math.abs(total - 1) < 1e-3 && row.every((value) => value >= 0 && value <= 1 + 1e-6);
  return areProbabilities ? row.map((value) => Math.log(Math.max(value, 1e-30))) : row;
}

function logSoftmax(logits: ArrayLike<number>): Float64Array {
  const row = Float64Array.from(logits);
  const highest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const logSum = Math.log(row.reduce((sum, value) => sum + Math.exp(value - highest), 0)) + highest;
  return row.map((value) => value - logSum);
}

function sameLength(a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length !== b.length) throw new RangeError(`${a.length} elements against ${b.length}`);
}

import type { Feeds } from '../../tensor/nd-array.ts';
import type { ComparisonStatistics, OutputPair } from '../statistics.ts';
import { realValues } from './real-values.ts';
import { ReportedFailure } from './reported-failure.ts';

interface Sums {
  count: number;
  nonFiniteCount: number;
  referencePower: number;
  candidatePower: number;
  noisePower: number;
  dotProduct: number;
  maxAbsoluteError: number;
}

/** Sums over pairs of outputs, from which signal-to-noise ratio and cosine follow. */
export class Comparison {
  readonly pairs: readonly OutputPair[];
  readonly #sums: readonly Sums[];

  constructor(pairs: readonly OutputPair[]) {
    this.pairs = pairs;
    this.#sums = pairs.map(() => ({
      count: 0,
      nonFiniteCount: 0,
      referencePower: 0,
      candidatePower: 0,
      noisePower: 0,
      dotProduct: 0,
      maxAbsoluteError: 0,
    }));
  }

  add(references: Feeds, candidates: Feeds): void {
    this.pairs.forEach((pair, index) => {
      const reference = references[pair.reference]!;
      const candidate = candidates[pair.candidate]!;
      if (`${reference.dims}` !== `${candidate.dims}`) {
        throw new ReportedFailure(
          'engine-failed',
          `outputs '${pair.reference}' [${reference.dims}] and '${pair.candidate}' [${candidate.dims}] differ in shape`,
        );
      }
      addValues(this.#sums[index]!, realValues(reference), realValues(candidate));
    });
  }

  result(): ComparisonStatistics[] {
    return this.pairs.map((pair, index) => {
      const sums = this.#sums[index]!;
      return {
        ...pair,
        ...sums,
        sqnrDb: 10 * Math.log10(sums.referencePower / sums.noisePower),
        cosineSimilarity: sums.dotProduct / Math.sqrt(sums.referencePower * sums.candidatePower),
      };
    });
  }
}

function addValues(sums: Sums, references: Float32Array | Float64Array, candidates: Float32Array | Float64Array): void {
  let { count, referencePower, candidatePower, noisePower, dotProduct, maxAbsoluteError } = sums;
  for (let i = 0; i < references.length; i++) {
    const reference = references[i]!;
    const candidate = candidates[i]!;
    const difference = reference - candidate;
    // NaN if either is infinite or NaN.
    if (difference - difference !== 0) {
      sums.nonFiniteCount++;
      continue;
    }
    count++;
    referencePower += reference * reference;
    candidatePower += candidate * candidate;
    noisePower += difference * difference;
    dotProduct += reference * candidate;
    const error = Math.abs(difference);
    if (error > maxAbsoluteError) maxAbsoluteError = error;
  }
  Object.assign(sums, { count, referencePower, candidatePower, noisePower, dotProduct, maxAbsoluteError });
}

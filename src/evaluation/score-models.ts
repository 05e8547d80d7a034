import type { Dataset } from '../data/dataset.ts';
import { feedsOf } from '../data/feeds-of.ts';
import { overlap } from '../data/overlap.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import type { Logger } from '../diagnostics/logger.ts';
import { printable } from '../diagnostics/printable.ts';
import type { Runnable } from '../runtime/session.ts';
import { isFloat } from '../tensor/data-type.ts';
import { floatElements } from '../tensor/float-elements.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import {
  cosine,
  energies,
  klDivergence,
  logitsOf,
  type PairedDifference,
  pairedDifference,
  type ShareInterval,
  sqnrDbOfEnergies,
  topK,
  wilsonInterval,
} from './statistics.ts';

/** How often a model is right; null without labels, or where its outputs are not class scores. */
export interface Scores {
  readonly top1: ShareInterval | null;
  /** Also null with fewer than six classes. */
  readonly top5: ShareInterval | null;
}

/** A model beside the reference, on the same samples. */
export interface Comparison extends Scores {
  /** Samples with the same highest class; null where outputs are not class scores. */
  readonly agreement: ShareInterval | null;
  /** Over all float outputs of all samples that have the same size in both; null where they are identical. */
  readonly sqnrDb: number | null;
  /** Mean over the samples, of the first output; 0 counts where its size differs. */
  readonly cosine: number | null;
  /** Mean KL divergence from the reference over softmax outputs, in nats; null where outputs are not class scores. */
  readonly klDivergence: number | null;
  readonly maxAbsoluteDifference: number;
  readonly paired: PairedDifference | null;
  /** Of every sample, whether its highest class is the right one; null without labels or classes. */
  readonly correct: readonly boolean[] | null;
  /** Of every sample, whether its highest class is the reference's; null where outputs are not class scores. */
  readonly agrees: readonly boolean[] | null;
}

export interface ModelScores {
  readonly samples: number;
  readonly reference: Scores;
  readonly candidates: readonly Comparison[];
}

/**
 * Runs a reference and any number of candidates over the samples, one sample at a time, and compares their outputs.
 * The first output is taken for class scores where it is one float row per sample.
 * @throws EdgepackError `data-mismatch` for a label beyond the classes.
 */
export async function scoreModels(
  reference: Runnable,
  candidates: readonly Runnable[],
  samples: Dataset,
  { logger, signal, label = 'Evaluating' }: { logger: Logger; signal?: AbortSignal | undefined; label?: string },
): Promise<ModelScores> {
  const outputs = floatOutputs(reference);
  const own = new Tally();
  const tallies = candidates.map(() => new ComparisonTally());
  const progress = logger.progress(label, samples.count);
  try {
    let i = 0;
    const run = (feeds: Feeds) => Promise.all([reference, ...candidates].map((model) => model.run(feeds, outputs)));
    await overlap(feedsOf(samples, signal), run, ([expected, ...actual]) => {
      const classes = classScores(expected!, outputs);
      const answer = samples.labels?.[i];
      if (classes !== undefined && answer !== undefined) requireClass(answer, classes.length, samples, i);
      own.add(classes, answer);
      for (const [index, tally] of tallies.entries()) tally.compare(expected!, actual[index]!, outputs, answer);
      progress.update(++i);
    });
  } finally {
    progress.done();
  }
  return { samples: samples.count, reference: own.scores(), candidates: tallies.map((tally) => tally.comparison()) };
}

/** The outputs that comparisons look at. */
export function floatOutputs({ outputs }: Runnable): string[] {
  return outputs.filter((output) => isFloat(output.dataType)).map((output) => output.name);
}

function requireClass(answer: number, classes: number, samples: Dataset, index: number): void {
  if (answer >= 0 && answer < classes) return;
  throw new EdgepackError(
    'data-mismatch',
    `sample ${index} has the label ${answer}, the model has ${classes} classes`,
    {
      location: { file: printable(samples.source) },
      hint: 'labels are class numbers from 0; check that data and model belong together',
    },
  );
}

/** The first output as one row of scores; undefined where it is something else. */
export function classScores(outputs: Feeds, names: readonly string[]): Float32Array | undefined {
  const first = names[0] === undefined ? undefined : outputs[names[0]];
  if (first === undefined || !isFloat(first.dataType)) return undefined;
  const dims = first.dims.filter((dim) => dim !== 1);
  return dims.length === 1 && dims[0]! >= 2 && dims[0] === first.data.length ? floatElements(first) : undefined;
}

class Tally {
  samples = 0;
  labelled = 0;
  classes = 0;
  #right1 = 0;
  #right5 = 0;

  /** Whether the highest class is the right one; undefined without label or classes. */
  add(scores: Float32Array | undefined, answer: number | undefined): boolean | undefined {
    this.samples++;
    if (scores === undefined) return undefined;
    this.classes = scores.length;
    if (answer === undefined) return undefined;
    this.labelled++;
    const best = topK(scores, 5);
    if (best.includes(answer)) this.#right5++;
    if (best[0] === answer) this.#right1++;
    return best[0] === answer;
  }

  scores(): Scores {
    const share = (count: number) => (this.labelled === 0 ? null : wilsonInterval(count, this.labelled));
    return { top1: share(this.#right1), top5: this.classes >= 6 ? share(this.#right5) : null };
  }
}

class ComparisonTally {
  readonly #own = new Tally();
  readonly #reference = new Tally();
  readonly #correct: boolean[] = [];
  readonly #agrees: boolean[] = [];
  #signal = 0;
  #noise = 0;
  #cosine = 0;
  #divergence = 0;
  #lost = 0;
  #won = 0;
  #largest = 0;

  compare(expected: Feeds, actual: Feeds, names: readonly string[], answer: number | undefined): void {
    for (const name of names) {
      const [a, b] = [floatElements(expected[name]!), floatElements(actual[name]!)];
      // As many boxes as were found: where that differs, no element has a counterpart.
      if (a.length !== b.length) continue;
      const { signal, noise } = energies(a, b);
      this.#signal += signal;
      this.#noise += noise;
      for (let i = 0; i < a.length; i++) this.#largest = Math.max(this.#largest, Math.abs(a[i]! - b[i]!));
      if (name === names[0]) this.#cosine += cosine(a, b);
    }
    const before = classScores(expected, names);
    const after = classScores(actual, names);
    const wasRight = this.#reference.add(before, answer);
    const isRight = this.#own.add(after, answer);
    if (isRight !== undefined) this.#correct.push(isRight);
    if (wasRight === true && isRight === false) this.#lost++;
    if (wasRight === false && isRight === true) this.#won++;
    if (before === undefined || after === undefined || before.length !== after.length) return;
    this.#agrees.push(topK(before, 1)[0] === topK(after, 1)[0]);
    this.#divergence += klDivergence(logitsOf(before), logitsOf(after));
  }

  comparison(): Comparison {
    const compared = this.#agrees.length;
    const { samples } = this.#own;
    const sqnr = sqnrDbOfEnergies(this.#signal, this.#noise);
    return {
      ...this.#own.scores(),
      agreement: compared > 0 ? wilsonInterval(this.#agrees.filter(Boolean).length, compared) : null,
      sqnrDb: Number.isFinite(sqnr) ? sqnr : null,
      cosine: this.#own.samples === 0 ? null : Math.max(-1, Math.min(1, this.#cosine / this.#own.samples)),
      klDivergence: compared > 0 ? this.#divergence / compared : null,
      maxAbsoluteDifference: this.#largest,
      paired: this.#own.labelled === 0 ? null : pairedDifference(this.#lost, this.#won, this.#own.labelled),
      correct: samples > 0 && this.#correct.length === samples ? this.#correct : null,
      agrees: samples > 0 && compared === samples ? this.#agrees : null,
    };
  }
}

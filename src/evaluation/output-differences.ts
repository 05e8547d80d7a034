import type { Runnable } from '../runtime/session.ts';
import { isFloat } from '../tensor/data-type.ts';
import { floatElements } from '../tensor/float-elements.ts';
import type { Feeds } from '../tensor/nd-array.ts';

/** How the outputs of one model differ between two places where it runs. */
export interface OutputDifferences {
  /** Elements of all outputs of all samples. */
  readonly elements: number;
  /** Elements that are not the same number. */
  readonly different: number;
  readonly maxAbsolute: number;
  /** Of the outputs that are integers times a step: how many integers differ, and by how many at most. */
  readonly integers: { readonly elements: number; readonly different: number; readonly maxSteps: number };
}

/** Compares what two sessions of one model give, run by run, while somebody else runs them on the same feeds in the same order. */
export class OutputComparer {
  readonly #steps: ReadonlyMap<string, number>;
  readonly #waiting: [Feeds[], Feeds[]] = [[], []];
  #elements = 0;
  #different = 0;
  #maxAbsolute = 0;
  readonly #integers = { elements: 0, different: 0, maxSteps: 0 };

  /** @param steps of the outputs that are integers times a step, by name. */
  constructor(steps: ReadonlyMap<string, number>) {
    this.#steps = steps;
  }

  /** The session, watched. @param place 0 or 1. */
  watch(session: Runnable, place: 0 | 1): Runnable {
    return {
      inputs: session.inputs,
      outputs: session.outputs,
      run: async (feeds, names) => {
        const outputs = await session.run(feeds, names);
        this.#waiting[place].push(outputs);
        const [first, second] = this.#waiting;
        while (first.length > 0 && second.length > 0) this.#compare(first.shift()!, second.shift()!);
        return outputs;
      },
    };
  }

  result(): OutputDifferences {
    return {
      elements: this.#elements,
      different: this.#different,
      maxAbsolute: this.#maxAbsolute,
      integers: { ...this.#integers },
    };
  }

  #compare(first: Feeds, second: Feeds): void {
    for (const [name, output] of Object.entries(first)) {
      const other = second[name];
      if (other === undefined || !isFloat(output.dataType) || !isFloat(other.dataType)) continue;
      const [a, b] = [floatElements(output), floatElements(other)];
      if (a.length !== b.length) continue;
      const step = this.#steps.get(name);
      this.#elements += a.length;
      if (step !== undefined) this.#integers.elements += a.length;
      for (let i = 0; i < a.length; i++) {
        if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
        this.#different++;
        const difference = Math.abs(a[i]! - b[i]!);
        if (difference > this.#maxAbsolute) this.#maxAbsolute = difference;
        // Half a step apart are different integers; less is the rounding of the product.
        const steps = step === undefined ? 0 : Math.round(difference / step);
        if (steps === 0) continue;
        this.#integers.different++;
        if (steps > this.#integers.maxSteps) this.#integers.maxSteps = steps;
      }
    }
  }
}

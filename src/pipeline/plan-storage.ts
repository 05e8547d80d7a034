import type { PassChange } from '../passes/pass.ts';
import { storageChoices, type WeightStorage } from '../passes/quantize/storage-choices.ts';
import { allocateNoise } from '../pruning/allocate-noise.ts';
import type { ChannelLayout } from '../quantization/quantize-weights.ts';
import { formatBytes } from '../report/number-format.ts';

/** Weights of one layer, as a plan sees them. */
export interface PlannedWeights {
  /** Of the nodes that read them. */
  readonly names: readonly string[];
  readonly weights: Float32Array;
  readonly layout: ChannelLayout;
  readonly prunable: boolean;
  /** Noise at the outputs per squared error of the weights. */
  readonly noisePerError: number;
}

/** How every layer's weights are stored. */
export interface StoragePlan {
  /** Entropy of all weights. */
  readonly bits: number;
  readonly key: string;
  readonly layers: readonly WeightStorage[];
}

/** What the `.epk` has to shrink by, for a step to be worth its loss. */
export const WORTHWHILE_SHRINKAGE = 0.05;
/** Share of the bytes around the weights that is left in the `.epk`, about. */
const OVERHEAD_SHARE = 0.4;

/** Finds the plan of the fewest bits for a noise. */
export class StoragePlanner {
  /** Int8 as it is. */
  readonly plain: StoragePlan;
  readonly #layers: readonly PlannedWeights[];
  readonly #choices: readonly (readonly (WeightStorage & { readonly noise: number })[])[];
  readonly #uniformSparsity: boolean;
  readonly #overheadBits: number;
  readonly #elements: number;

  constructor(
    layers: readonly PlannedWeights[],
    options: { readonly wideSteps: boolean; readonly uniformSparsity: boolean; readonly fileBytes: number },
  ) {
    this.#layers = layers;
    this.#choices = layers.map(({ weights, layout, prunable, noisePerError }) =>
      storageChoices(weights, layout, { prunable, wideSteps: options.wideSteps }).map((choice) => ({
        ...choice,
        noise: choice.squaredError * noisePerError,
      })),
    );
    this.#uniformSparsity = options.uniformSparsity;
    this.#elements = layers.reduce((sum, { weights }) => sum + weights.length, 0);
    this.#overheadBits = 8 * OVERHEAD_SHARE * Math.max(0, options.fileBytes - this.#elements);
    this.plain = planOf(this.#choices.map((choices) => choices[0]!));
  }

  /** The plan of the fewest bits that is expected to add at most this noise, with zeros or with wider steps only. */
  plan(noise: number, zeros: boolean | 'only'): StoragePlan {
    if (zeros === false) return this.#allocate(noise, ({ sparsity }) => sparsity === 0);
    const allowed = (choice: WeightStorage) => zeros !== 'only' || choice.stepFactor === 1;
    if (!this.#uniformSparsity) return this.#allocate(noise, allowed);
    const sparsities = new Set(this.#choices.flatMap((choices) => choices.map(({ sparsity }) => sparsity)));
    let best = this.plain;
    for (const share of sparsities) {
      const plan = this.#allocate(
        noise,
        (choice, layer) => allowed(choice) && choice.sparsity === (this.#layers[layer]!.prunable ? share : 0),
      );
      if (plan.bits < best.bits && this.#noise(plan) <= noise) best = plan;
    }
    return best;
  }

  /** What the `.epk` takes, about. */
  fileBits(plan: StoragePlan): number {
    return plan.bits + this.#overheadBits;
  }

  stepFactors(plan: StoragePlan): Record<string, number> {
    return this.#byName(plan, ({ stepFactor }) => stepFactor, 1);
  }

  sparsityByNode(plan: StoragePlan): Record<string, number> {
    return this.#byName(plan, ({ sparsity }) => sparsity, 0);
  }

  /** Zeros set by the plan / weights. */
  sparsityRatio(plan: StoragePlan): number {
    const zeros = plan.layers.reduce((sum, { sparsity }, i) => sum + sparsity * this.#layers[i]!.weights.length, 0);
    return zeros / Math.max(1, this.#elements);
  }

  describe(plan: StoragePlan): string {
    const zeros = this.sparsityRatio(plan);
    return (
      `weights about ${formatBytes(plan.bits / 8)} coded, ${(plan.bits / this.#elements).toFixed(2)} bits each` +
      (zeros > 0 ? `, sparsityRatio ${zeros.toFixed(4)}` : '')
    );
  }

  /** What the plan makes of every layer. */
  facts(plan: StoragePlan): PassChange[] {
    return plan.layers.flatMap(({ stepFactor, sparsity, bits }, i) => {
      if (stepFactor === 1 && sparsity === 0) return [];
      const { names, weights } = this.#layers[i]!;
      const before = this.plain.layers[i]!.bits / weights.length;
      const zeros = sparsity === 0 ? '' : `sparsityRatio ${sparsity.toFixed(2)}, `;
      return {
        kind: stepFactor === 1 ? 'code-zeros' : 'widen-weight-steps',
        subject: names[0]!,
        detail: `${zeros}steps × ${stepFactor.toFixed(2)}, about ${(bits / weights.length).toFixed(2)} bits per weight, was ${before.toFixed(2)}`,
      };
    });
  }

  #allocate(noise: number, isAllowed: (choice: WeightStorage, layer: number) => boolean): StoragePlan {
    const allowed = this.#choices.map((choices, layer) => choices.filter((choice) => isAllowed(choice, layer)));
    const picked = allocateNoise(allowed, noise);
    return planOf(picked.map((choice, layer) => allowed[layer]![choice]!));
  }

  #noise(plan: StoragePlan): number {
    return plan.layers.reduce((sum, { squaredError }, i) => sum + squaredError * this.#layers[i]!.noisePerError, 0);
  }

  #byName(plan: StoragePlan, pick: (storage: WeightStorage) => number, idle: number): Record<string, number> {
    return Object.fromEntries(
      plan.layers.flatMap((storage, i) =>
        pick(storage) === idle ? [] : this.#layers[i]!.names.map((name) => [name, pick(storage)] as const),
      ),
    );
  }
}

/**
 * Whether zeros pay, at a noise: they do where the `.epk` shrinks by 5 % for them, beyond what wider steps do for the same loss.
 */
export function planStorage(
  planner: StoragePlanner,
  noise: number,
): { readonly zeros: boolean; readonly because: string } {
  const [dense, both, alone] = [planner.plan(noise, false), planner.plan(noise, true), planner.plan(noise, 'only')];
  const gain = 1 - planner.fileBits(both) / planner.fileBits(dense);
  const bytes = (plan: StoragePlan) => formatBytes(planner.fileBits(plan) / 8);
  const because =
    `zeros would make the .epk ${(100 * Math.max(0, gain)).toFixed(1)} % smaller (from 5 % on they are set): at the same expected loss, of about ` +
    `${bytes(planner.plain)}, wider weight steps leave ${bytes(dense)}, both together ${bytes(both)}, and zeros alone ` +
    `${bytes(alone)} (sparsityRatio ${planner.sparsityRatio(alone).toFixed(2)})`;
  return { zeros: gain >= WORTHWHILE_SHRINKAGE, because };
}

function planOf(layers: readonly WeightStorage[]): StoragePlan {
  return {
    layers,
    bits: layers.reduce((sum, { bits }) => sum + bits, 0),
    key: layers.map(({ sparsity, stepFactor }) => `${sparsity}/${stepFactor.toFixed(3)}`).join(' '),
  };
}

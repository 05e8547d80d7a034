import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloneModel } from '../formats/onnx/clone-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import type { Model } from '../ir/model.ts';
import type { Pass, PassChange, PassContext } from '../passes/pass.ts';
import { foldDequantizers } from '../passes/quantize/fold-dequantizers.ts';
import { hasSameLayers, takeStoredWeights } from '../passes/quantize/take-stored-weights.ts';
import { runPasses } from '../passes/run-passes.ts';
import type { TimedVariant } from './judge-execution.ts';
import { planMixed } from './plan-mixed.ts';
import { type ProfileLayersOptions, profileLayers } from './profile-layers.ts';
import type { QuantizedLayer } from './quantize-model.ts';
import type { StepsResult } from './run-steps.ts';

/** A variant of the compressed model, in a file of its own. */
export interface Variant extends Omit<TimedVariant, 'ratio'> {
  readonly model: Model;
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Nodes with weights that compute in float, although they could in integers. */
  readonly inFloat: readonly string[];
  readonly changes: readonly PassChange[];
}

type Made = Pick<Variant, 'execution' | 'detail' | 'sameKernels' | 'model' | 'inFloat' | 'changes'>;

/** Builds the variants of a compressed model that may be faster than what its recipe made. */
export class VariantBuilder {
  readonly #done: StepsResult;
  readonly #folder: string;
  readonly #context: PassContext;
  #count = 0;

  constructor(done: StepsResult, folder: string, context: PassContext) {
    this.#done = done;
    this.#folder = folder;
    this.#context = context;
  }

  /** What the recipe made. */
  recipe(bytes: Uint8Array): Variant {
    const { model, float, steps } = this.#done;
    const hasIntegers = float !== undefined && this.#integerLayers().length > 0;
    const storesWeights = steps.some(({ pass, modified }) => pass === 'quantize-weights' && modified);
    const execution = hasIntegers ? 'int8' : storesWeights ? 'weights' : 'float';
    const sameKernels = execution === 'float' || (execution === 'weights' && !dequantizesInRuns(model));
    return this.#written({ execution, detail: '', sameKernels, model, inFloat: [], changes: [] }, bytes);
  }

  /** Weights as they are stored, all computed in float; where products with int8 weights may come of that, also without. */
  async weights(): Promise<readonly Variant[]> {
    const { float, model } = this.#done;
    const variants: Variant[] = [];
    const inFloat = this.#integerLayers().map(({ node }) => node);
    let stored: Made | undefined;
    if (float !== undefined && inFloat.length > 0) {
      // A recipe of the user's own may change the graph once it is int8.
      if (!hasSameLayers(float.graph, model.graph)) return [];
      const [made, changes] = await this.#changed(float, takeStoredWeights(model));
      const sameKernels = !dequantizesInRuns(made);
      stored = { execution: 'weights', detail: '', sameKernels, model: made, inFloat, changes };
      variants.push(this.#written(sameKernels ? stored : { ...stored, detail: 'matrix products with int8 weights' }));
    }
    const base = stored?.model ?? model;
    if (dequantizesInRuns(base)) {
      const [folded, changes] = await this.#changed(base, foldDequantizers());
      const detail = 'weights made real when the model is loaded';
      const all = [...(stored?.changes ?? []), ...changes];
      variants.push(
        this.#written({ execution: 'weights', detail, sameKernels: true, model: folded, inFloat, changes: all }),
      );
    }
    return variants;
  }

  /** Some layers in float, as the profile of both forms suggests. */
  async mixed(options: Omit<ProfileLayersOptions, 'folder'>): Promise<readonly Variant[]> {
    const { float, model } = this.#done;
    const layers = this.#integerLayers().map(({ node }) => node);
    if (float === undefined || layers.length < 2) return [];
    const times = await profileLayers({ float, int8: model }, layers, { ...options, folder: this.#folder });
    const variants: Variant[] = [];
    for (const inFloat of times === undefined ? [] : planMixed(times))
      variants.push(...(await this.withFloat(inFloat)));
    return variants;
  }

  /** These layers in float, the others in integers; nothing where the model was not quantized with data. */
  async withFloat(inFloat: readonly string[]): Promise<readonly Variant[]> {
    const { model, quantizeWithout } = this.#done;
    if (quantizeWithout === undefined) return [];
    const partly = await quantizeWithout(inFloat);
    if (!hasSameLayers(partly.graph, model.graph)) return [];
    const [mixed, changes] = await this.#changed(partly, takeStoredWeights(model));
    const detail = `${inFloat.length} of ${this.#integerLayers().length} layers in float`;
    return [this.#written({ execution: 'mixed', detail, sameKernels: false, model: mixed, inFloat, changes })];
  }

  /** The model before anything of it became int8; undefined where the recipe has no such step. */
  float(): Variant | undefined {
    const { float: model } = this.#done;
    if (model === undefined) return undefined;
    const inFloat = this.#integerLayers().map(({ node }) => node);
    return this.#written({ execution: 'float', detail: '', sameKernels: true, model, inFloat, changes: [] });
  }

  /** The model as it came. */
  original(model: Model): Variant {
    const inFloat = this.#integerLayers().map(({ node }) => node);
    return this.#written({ execution: 'original', detail: '', sameKernels: true, model, inFloat, changes: [] });
  }

  #integerLayers(): readonly QuantizedLayer[] {
    return this.#done.layers.filter(({ keptFloat }) => keptFloat === undefined);
  }

  async #changed(source: Model, pass: Pass): Promise<[Model, readonly PassChange[]]> {
    const model = cloneModel(source);
    const [run] = await runPasses(model, [pass], this.#context);
    return [model, run!.changes];
  }

  #written(made: Made, bytes: Uint8Array = Buffer.concat(encodeModel(made.model).pieces)): Variant {
    const path = join(this.#folder, `variant-${this.#count++}.onnx`);
    writeFileSync(path, bytes);
    return { ...made, path, bytes };
  }
}

/** Whether the engine sees DequantizeLinear nodes: of weights it makes products of their own, or computes them in every run. */
function dequantizesInRuns({ graph }: Model): boolean {
  for (const node of graph.nodes()) {
    if (node.is('DequantizeLinear') && node.input(0)?.tensor !== undefined) return true;
  }
  return false;
}

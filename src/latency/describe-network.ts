import type { Model } from '../ir/model.ts';
import type { CostFeatures } from '../targets/cost-features.ts';
import { sumFeatures } from './layer-cost.ts';
import { type LayerCostOptions, listLayerCosts } from './list-layer-costs.ts';

/** What a latency model has to know of a network. */
export interface NetworkDescription {
  readonly features: CostFeatures;
  readonly layers: number;
  readonly macs: number;
  readonly unfamiliar: { readonly share: number; readonly names: readonly string[] };
  /** Operators whose products could not be counted. */
  readonly unknown: readonly string[];
  /** Dimensions of the inputs after the batch that have no size. */
  readonly open: readonly string[];
}

export function describeNetwork(model: Model, options: LayerCostOptions = {}): NetworkDescription {
  const { layers, unknown } = listLayerCosts(model, options);
  const macs = layers.reduce((sum, layer) => sum + layer.macs, 0);
  const strange = layers.filter((layer) => layer.unfamiliar !== undefined);
  const share = macs === 0 ? 0 : strange.reduce((sum, layer) => sum + layer.macs, 0) / macs;
  const names = [...new Set(strange.map((layer) => layer.unfamiliar!))];
  return {
    features: sumFeatures(layers),
    layers: layers.length,
    macs,
    unfamiliar: { share, names },
    unknown,
    open: openDimensions(model, options),
  };
}

/** Dimensions of the inputs after the batch that have no size. */
export function openDimensions(model: Model, { symbols = {} }: LayerCostOptions): string[] {
  const inputs = model.graph.inputs.filter((value) => value.tensor === undefined);
  const dims = inputs.flatMap(({ name, shape = [] }) =>
    shape
      .slice(1)
      .map((dim) => (dim === undefined || (typeof dim === 'number' && dim < 0) ? `unnamed, of ${name}` : dim)),
  );
  return [...new Set(dims.filter((dim) => typeof dim === 'string' && !Object.hasOwn(symbols, dim)).map(String))];
}

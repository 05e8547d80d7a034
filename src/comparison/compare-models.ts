import type { Model } from '../ir/model.ts';
import { compareFolded } from './compare-folded.ts';
import { compareNodes, type NodeComparison } from './compare-nodes.ts';
import { compareWeights, type WeightComparison } from './compare-weights.ts';
import { Interner } from './graph-view.ts';
import { matchGraphs } from './match-graphs.ts';
import { type InterfaceMatch, matchInterfaces } from './match-interfaces.ts';
import type { Pairing } from './pairing.ts';

export interface ModelComparison {
  readonly pairing: Pairing;
  readonly interfaces: InterfaceMatch;
  readonly weights: WeightComparison;
  readonly nodes: NodeComparison;
}

/** What changed between two models: nodes that stand for each other, what became of the others, and all constants. */
export function compareModels(a: Model, b: Model): ModelComparison {
  const interner = new Interner();
  const interfaces = matchInterfaces(a, b);
  const pairing = matchGraphs([a, b], interfaces.labels, interner);
  const weights = compareWeights(a, b, pairing, interner);
  const nodes = compareNodes([a, b], interfaces.labels, pairing, weights, interner);
  return { pairing, interfaces, weights: compareFolded(weights, nodes), nodes };
}

import type { Node } from '../ir/node.ts';
import { type ChannelFolding, compareConstants } from './compare-constants.ts';
import type { NodeComparison } from './compare-nodes.ts';
import type { WeightChange, WeightComparison } from './compare-weights.ts';
import { constantSource, realNumbers } from './constant-source.ts';

/**
 * Where a BatchNormalization was folded into a convolution, its weights are compared with what they are once it is folded in:
 * w·γ/√(σ² + ε) along the output channels.
 */
export function compareFolded(weights: WeightComparison, nodes: NodeComparison): WeightComparison {
  const foldings = new Map<Node, ChannelFolding>();
  for (const { a, b, companions } of nodes.changes) {
    if (a === undefined || b === undefined || !a.is('Conv', 'ConvTranspose')) continue;
    const norm = companions.find((node) => node.is('BatchNormalization'));
    const side = norm?.input(0)?.producer === a ? 'a' : norm?.input(0)?.producer === b ? 'b' : undefined;
    if (norm === undefined || side === undefined || (a.is('ConvTranspose') && a.int('group', 1) !== 1)) continue;
    const factors = factorsOf(norm);
    if (factors !== undefined) foldings.set(a, { side, axis: a.is('Conv') ? 0 : 1, factors });
  }
  const changes = weights.changes.map((change): WeightChange => {
    const { kind, a, b, layer } = change;
    const folding = layer === undefined ? undefined : foldings.get(layer);
    if (kind !== 'changed' || a === undefined || b === undefined || folding === undefined) return change;
    if (constantSource(layer!.input(1))?.value !== a.value) return change;
    const distance = compareConstants(a, b, folding);
    return distance === undefined ? change : { ...change, distance, isFolded: true };
  });
  return { ...weights, changes };
}

function factorsOf(norm: Node): Float64Array | undefined {
  const [gamma, variance] = [1, 4].map((slot) => {
    const source = constantSource(norm.input(slot));
    return source === undefined ? undefined : realNumbers(source);
  });
  if (gamma === undefined || variance === undefined || gamma.length !== variance.length) return undefined;
  const epsilon = norm.float('epsilon', 1e-5);
  return Float64Array.from(gamma, (factor, i) => factor / Math.sqrt(variance[i]! + epsilon));
}

/** Times of one layer and of what follows it up to the next, in milliseconds. */
export interface LayerTimes {
  readonly name: string;
  readonly int8Ms: number;
  readonly floatMs: number;
  /** What changing between integers and floats in front of it takes. */
  readonly borderMs: number;
}

/** A plan has to promise this much over all in float. */
const WORTHWHILE_SHARE = 0.97;
/** Borders cost more than their Quantize or DequantizeLinear: fusions across them are lost. */
const BORDER_FACTORS = [1, 3];

/**
 * Sets of layers to run in float, the most promising first; empty where all layers in one precision are as fast. For each
 * way to weigh the borders, the fastest sequence of precisions along the graph's order.
 */
export function planMixed(layers: readonly LayerTimes[]): readonly (readonly string[])[] {
  const allFloatMs = layers.reduce((sum, { floatMs }) => sum + floatMs, 0);
  const plans = new Map<string, readonly string[]>();
  for (const factor of BORDER_FACTORS) {
    const { inFloat, totalMs } = fastestSequence(layers, factor);
    const names = layers.filter((_, i) => inFloat[i]).map(({ name }) => name);
    if (names.length === 0 || names.length === layers.length || totalMs > WORTHWHILE_SHARE * allFloatMs) continue;
    plans.set(names.join('\n'), names);
  }
  return [...plans.values()];
}

/** By dynamic programming over the two states that a layer can be in. */
function fastestSequence(layers: readonly LayerTimes[], factor: number): { inFloat: boolean[]; totalMs: number } {
  let costs = [0, 0];
  const from: number[][] = [];
  for (const [i, { int8Ms, floatMs, borderMs }] of layers.entries()) {
    const border = i === 0 ? 0 : factor * borderMs;
    const origins = [0, 1].map((state) => (costs[1 - state]! + border < costs[state]! ? 1 - state : state));
    costs = [int8Ms, floatMs].map((ms, state) => {
      const origin = origins[state]!;
      return costs[origin]! + (origin === state ? 0 : border) + ms;
    });
    from.push(origins);
  }
  let state = costs[1]! < costs[0]! ? 1 : 0;
  const totalMs = costs[state]!;
  const inFloat = layers.map(() => false);
  for (let i = layers.length - 1; i >= 0; i--) {
    inFloat[i] = state === 1;
    state = from[i]![state]!;
  }
  return { inFloat, totalMs };
}

/** One way to store the weights of a layer: what it costs in bits and in noise at the output. */
export interface StorageChoice {
  readonly bits: number;
  /** In units that add up over layers, such as mean squares at the output. */
  readonly noise: number;
}

/**
 * Picks one choice per layer such that the bits are few and the noise adds up to at most `noiseLimit`: the same exchange of
 * bits for noise in every layer, which is where no exchange between layers gains any more. Returns indices into each layer's
 * choices. Where even the least noise exceeds the limit, the choices of the least noise are taken. More noise never gives more bits.
 * Source: Y. Shoham and A. Gersho, Efficient Bit Allocation for an Arbitrary Set of Quantizers, IEEE Trans. ASSP 36 (1988).
 */
export function allocateNoise(layers: readonly (readonly StorageChoice[])[], noiseLimit: number): number[] {
  // Bits for one unit of noise, as an exponent of two.
  let low = -200;
  let high = 200;
  let best = pick(layers, 2 ** high);
  for (let i = 0; i < 64; i++) {
    const middle = (low + high) / 2;
    const picked = pick(layers, 2 ** middle);
    if (noiseOf(layers, picked) <= noiseLimit) {
      best = picked;
      high = middle;
    } else low = middle;
  }
  return best;
}

function noiseOf(layers: readonly (readonly StorageChoice[])[], picked: readonly number[]): number {
  return picked.reduce((sum, choice, layer) => sum + layers[layer]![choice]!.noise, 0);
}

function pick(layers: readonly (readonly StorageChoice[])[], bitsPerNoise: number): number[] {
  return layers.map((choices) => {
    let best = 0;
    for (let i = 1; i < choices.length; i++) {
      const cost = choices[i]!.bits + bitsPerNoise * choices[i]!.noise;
      const lowest = choices[best]!.bits + bitsPerNoise * choices[best]!.noise;
      if (cost < lowest || (cost === lowest && choices[i]!.noise < choices[best]!.noise)) best = i;
    }
    return best;
  });
}

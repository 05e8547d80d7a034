import type { ValueDescription } from '../runtime/session.ts';
import { DataType } from '../tensor/data-type.ts';
import { elementArrayOf, type Feeds, type NdArray } from '../tensor/nd-array.ts';

/** Size taken for a dimension that the model leaves open, where it is not the first one (the batch, taken as 1). */
const OPEN_DIMENSION = 32;

/**
 * Inputs for a model when there is no data: floats spread evenly over [-1, 1], integers 1, booleans true. The same seed
 * gives the same feeds. They serve to compare two forms of a model and to time it, never to judge accuracy.
 */
export function syntheticFeeds(inputs: readonly ValueDescription[], seed: number): Feeds {
  const random = mulberry32(seed);
  return Object.fromEntries(inputs.map((input) => [input.name, syntheticArray(input, random)]));
}

function syntheticArray({ dataType, shape }: ValueDescription, random: () => number): NdArray {
  const dims = shape.map((dim, i) => (typeof dim === 'number' && dim > 0 ? dim : i === 0 ? 1 : OPEN_DIMENSION));
  const count = dims.reduce((a, b) => a * b, 1);
  const ArrayType = elementArrayOf(dataType) ?? Float32Array;
  const data = new ArrayType(count);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(1n);
  else if (dataType === DataType.float32 || dataType === DataType.float64) {
    for (let i = 0; i < count; i++) data[i] = random() * 2 - 1;
  } else data.fill(dataType === DataType.float16 ? 0x3c00 : dataType === DataType.bfloat16 ? 0x3f80 : 1);
  return { dataType, dims, data };
}

/** T. Ettinger's 32-bit generator: small, seeded, the same on every host. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

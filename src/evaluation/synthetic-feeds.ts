import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { seededRandom } from '../runtime/seeded-random.ts';
import type { ValueDescription } from '../runtime/session.ts';
import { DataType } from '../tensor/data-type.ts';
import { elementArrayOf, type Feeds, type NdArray } from '../tensor/nd-array.ts';

/** Size taken for a dimension that the model leaves open, where it is not the first one (the batch, taken as 1). */
const OPEN_DIMENSION = 32;

/** More than any input that is run once: 1 GiB of float32. */
const MAX_ELEMENTS = 2 ** 28;

/** Sizes of symbolic dimensions, by their name. */
export type DimensionSizes = Readonly<Record<string, number>>;

/**
 * Inputs for a model when there is no data: floats spread evenly over [-1, 1], integers 1, booleans true. The same seed
 * gives the same feeds. They serve to compare two forms of a model and to time it, never to judge accuracy.
 * @param sizes of dimensions that the model leaves open; others are 1 where they come first, 32 elsewhere.
 * @throws EdgepackError `data-mismatch` where an input is no tensor, or too large to be made up.
 */
export function syntheticFeeds(inputs: readonly ValueDescription[], seed: number, sizes: DimensionSizes = {}): Feeds {
  const random = seededRandom(seed);
  return Object.fromEntries(inputs.map((input) => [input.name, syntheticArray(input, sizes, random)]));
}

/** The dimension at `axis` as {@link syntheticFeeds} takes it. */
export function syntheticSize(dim: number | string, axis: number, sizes: DimensionSizes): number {
  if (typeof dim === 'number' && dim > 0) return dim;
  if (typeof dim === 'string' && Object.hasOwn(sizes, dim)) return sizes[dim]!;
  return axis === 0 ? 1 : OPEN_DIMENSION;
}

function syntheticArray(
  { name, dataType, shape }: ValueDescription,
  sizes: DimensionSizes,
  random: () => number,
): NdArray {
  const dims = shape.map((dim, axis) => syntheticSize(dim, axis, sizes));
  const count = dims.reduce((a, b) => a * b, 1);
  const ArrayType = elementArrayOf(dataType);
  if (ArrayType === undefined) {
    throw new EdgepackError('data-mismatch', `the input '${printable(name)}' is no tensor of numbers`, {
      hint: 'inputs of such a type cannot be made up or fed',
    });
  }
  if (count > MAX_ELEMENTS) {
    throw new EdgepackError(
      'data-mismatch',
      `the input '${printable(name)}' has ${count} elements: too many to make up`,
      {
        hint: 'set open dimensions to smaller sizes',
      },
    );
  }
  const data = new ArrayType(count);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(1n);
  else if (dataType === DataType.float32 || dataType === DataType.float64) {
    for (let i = 0; i < count; i++) data[i] = random() * 2 - 1;
  } else data.fill(dataType === DataType.float16 ? 0x3c00 : dataType === DataType.bfloat16 ? 0x3f80 : 1);
  return { dataType, dims, data };
}

import { type DataType, dataTypeName } from '../tensor/data-type.ts';

/** An input of the model that data is read for. Symbolic dimensions are names, unknown ones undefined. */
export interface InputSpec {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly (number | string | undefined)[];
}

/** A shape as messages print it, e.g. `float32 [N, 3, 224, 224]`. */
export function describeInput(spec: InputSpec): string {
  return `${dataTypeName(spec.dataType)} ${describeShape(spec.shape)}`;
}

export function describeShape(shape: InputSpec['shape']): string {
  return `[${shape.map((dim) => dim ?? '?').join(', ')}]`;
}

/**
 * The dimensions a sample takes as this input: the sample's own where it already has the input's, else with a batch axis of 1 in
 * front. Axes of size 1 may stand anywhere else too (28x28 goes into [N, 1, 28, 28]), as that leaves the elements as they are.
 * @param isWhole True where the sample is all that its file holds: then a symbolic first dimension may be any size (time steps).
 * @returns undefined where the sample does not fit.
 */
export function fitShape(spec: InputSpec, sample: readonly number[], isWhole = false): number[] | undefined {
  const fits = (dims: readonly number[], isFirstOpen: boolean) =>
    dims.length === spec.shape.length &&
    // A symbolic first dimension is the batch: one sample is never taken for several.
    dims.every(
      (dim, i) => spec.shape[i] === dim || (typeof spec.shape[i] !== 'number' && (i > 0 || isFirstOpen || dim === 1)),
    );
  const accepts = (dims: readonly number[]) => fits(dims, false);
  if (fits(sample, isWhole)) return [...sample];
  if (accepts([1, ...sample])) return [1, ...sample];
  const long = sample.filter((dim) => dim !== 1);
  const open = spec.shape.map((dim, i) => (i === 0 && typeof dim !== 'number' ? 1 : dim));
  if (open.filter((dim) => dim !== 1).length !== long.length) return undefined;
  let next = 0;
  const dims = open.map((dim) => (dim === 1 ? 1 : long[next++]!));
  return accepts(dims) ? dims : undefined;
}

import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { bitsPerElement, DataType } from '../../tensor/data-type.ts';
import { importTensor } from './import-tensor.ts';
import { EXTERNAL, type SparseTensorProto, type TensorProto } from './proto.ts';
import { longToInt } from './tensor-data.ts';

/** Engines write sparse tensors out in full: so many bytes they may become. */
const MAX_DENSE_BYTES = 64 * 2 ** 20;

/**
 * Checks a sparse tensor: a shape that can be written out, and for each value an index inside of it, in ascending order
 * (ONNX specification, SparseTensorProto). Indices in other files are left to the engine.
 * @throws EdgepackError `model-invalid` or `model-too-large`.
 */
export function checkSparseTensor({ values, indices, dims: longDims = [] }: SparseTensorProto): void {
  const name = values?.name ?? '';
  if (values === undefined || indices === undefined) throw invalid(name, 'has no values or no indices');
  const dims = longDims.map((dim) => Number(longToInt(dim)));
  if (dims.length === 0 || dims.length > 64 || dims.some((dim) => dim < 1)) {
    throw invalid(name, `states an impossible shape [${dims.slice(0, 16).join(', ')}]`);
  }
  const elementCount = dims.reduce((product, dim) => product * dim, 1);
  const denseBytes = (elementCount * bitsPerElement(values.dataType ?? 0)) / 8;
  if (!(denseBytes <= MAX_DENSE_BYTES)) {
    throw new EdgepackError(
      'model-too-large',
      `is a sparse tensor of shape [${dims.join(', ')}], which takes more than ${MAX_DENSE_BYTES / 2 ** 20} MiB when it is written out`,
      { location: { tensor: printable(name) }, hint: 'store it as a dense tensor' },
    );
  }
  if (values.dims?.length !== 1) throw invalid(name, 'has values in more or less than one dimension');
  checkIndices(name, indices, Number(longToInt(values.dims[0]!)), dims);
}

function checkIndices(name: string, indices: TensorProto, count: number, dims: readonly number[]): void {
  const shape = (indices.dims ?? []).map((dim) => Number(longToInt(dim)));
  const isFlat = shape.length === 1;
  if (indices.dataLocation === EXTERNAL) return;
  if (
    indices.dataType !== DataType.int64 ||
    shape[0] !== count ||
    (!isFlat && shape[1] !== dims.length) ||
    shape.length > 2
  ) {
    throw invalid(name, `does not have one int64 index for each of its ${count} values`);
  }
  const numbers = importTensor(indices, () => {
    throw new RangeError('not external');
  }).toNumbers();
  const width = isFlat ? 1 : dims.length;
  const limits = isFlat ? [dims.reduce((product, dim) => product * dim, 1)] : dims;
  let before = -1;
  for (let i = 0; i < count; i++) {
    let position = 0;
    for (let axis = 0; axis < width; axis++) {
      const index = numbers[i * width + axis]!;
      if (!(index >= 0 && index < limits[axis]!)) throw invalid(name, `has the index ${index} outside of its shape`);
      position = position * limits[axis]! + index;
    }
    if (position <= before) throw invalid(name, 'has indices that do not ascend');
    before = position;
  }
}

function invalid(name: string, reason: string): EdgepackError {
  return new EdgepackError('model-invalid', `is a sparse tensor that ${reason}`, {
    location: { tensor: printable(name) },
    hint: 'the file is damaged or was written by a faulty tool: export the model again',
  });
}

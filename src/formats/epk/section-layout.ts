import { type BlockLayout, byteLayout } from '../../codec/block-layout.ts';
import { DataType } from '../../tensor/data-type.ts';

const floats: Record<number, 2 | 4 | 8> = {
  [DataType.float16]: 2,
  [DataType.bfloat16]: 2,
  [DataType.float32]: 4,
  [DataType.float64]: 8,
  [DataType.complex64]: 4,
  [DataType.complex128]: 8,
};
const signed: Record<number, 1 | 2 | 4 | 8> = {
  [DataType.int8]: 1,
  [DataType.int16]: 2,
  [DataType.int32]: 4,
  [DataType.int64]: 8,
};
const unsigned: Record<number, 1 | 2 | 4 | 8> = {
  [DataType.uint8]: 1,
  [DataType.uint16]: 2,
  [DataType.uint32]: 4,
  [DataType.uint64]: 8,
  [DataType.bool]: 1,
};

/**
 * How the coders see a tensor of ONNX element type `dataType`: the first dimension above 1 gives the rows, the rest the columns, the
 * dimensions after the second one convolution kernel. Where type, dimensions and size do not fit together it is a run of bytes.
 */
export function sectionLayout(dataType: number, dims: readonly number[], byteLength: number): BlockLayout {
  const elementBytes = floats[dataType] ?? signed[dataType] ?? unsigned[dataType] ?? 1;
  const kind =
    dataType in floats ? 'float' : dataType in signed ? 'signed' : dataType in unsigned ? 'unsigned' : 'bytes';
  const elements = byteLength / elementBytes;
  if (!Number.isInteger(elements)) return byteLayout(byteLength);
  const lead = dims.findIndex((dim) => dim > 1);
  const rows = lead < 0 ? 1 : dims[lead]!;
  const columns = elements / rows;
  if (lead < 0 || !Number.isInteger(columns) || columns < 2) {
    return { elementBytes, kind, rows: 1, columns: elements, kernelSize: 1, kernelWidth: 1 };
  }
  const spatial = dims.slice(lead + 2);
  const kernelSize = spatial.reduce((product, dim) => product * dim, 1);
  const kernelWidth = spatial.at(-1) ?? 1;
  const whole = kernelSize >= 1 && kernelWidth >= 1 && columns % kernelSize === 0 && kernelSize % kernelWidth === 0;
  return {
    elementBytes,
    kind,
    rows,
    columns,
    kernelSize: whole ? kernelSize : 1,
    kernelWidth: whole ? kernelWidth : 1,
  };
}

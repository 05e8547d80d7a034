import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { Tensor, type TensorData } from '../../tensor/tensor.ts';
import { EXTERNAL, type TensorProto } from './proto.ts';
import { provenance } from './provenance.ts';
import { inlineTensorData, longToInt } from './tensor-data.ts';

/** Finds the bytes of a tensor that is stored outside the model file. */
export type ExternalDataResolver = (proto: TensorProto, elementCount: number) => TensorData;

/** Gives the tensor of a message. */
export type TensorImporter = (proto: TensorProto) => Tensor;

/** The largest element count a tensor may state: beyond it, no file of this world backs the claim. */
const MAX_ELEMENTS = 2 ** 40;
const MAX_RANK = 64;

/**
 * Reads a tensor; its elements stay where they are until they are asked for.
 * @throws EdgepackError `model-invalid` where shape and stored elements do not fit together.
 */
export function importTensor(proto: TensorProto, resolveExternal: ExternalDataResolver): Tensor {
  const name = proto.name ?? '';
  if ((proto.dims?.length ?? 0) > MAX_RANK) {
    throw impossible(name, `has ${proto.dims!.length} dimensions; at most ${MAX_RANK} are accepted`);
  }
  const dims = (proto.dims ?? []).map((dim) => Number(longToInt(dim)));
  const elementCount = dims.reduce((product, dim) => product * dim, 1);
  if (dims.some((dim) => dim < 0 || dim > MAX_ELEMENTS) || elementCount > MAX_ELEMENTS) {
    throw impossible(name, `states an impossible shape [${dims.join(', ')}]`);
  }
  const data =
    proto.dataLocation === EXTERNAL ? resolveExternal(proto, elementCount) : inlineTensorData(proto, elementCount);
  const tensor = new Tensor(name, proto.dataType ?? 0, dims, data);
  provenance.tensor.set(tensor, proto);
  return tensor;
}

function impossible(name: string, message: string): EdgepackError {
  return new EdgepackError('model-invalid', message, {
    location: { tensor: printable(name) },
    hint: 'the file is damaged or was written by a faulty tool: export the model again',
  });
}

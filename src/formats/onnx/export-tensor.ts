import Long from 'long';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor, type TensorData } from '../../tensor/tensor.ts';
import { copyOf } from './copy-message.ts';
import { ExternalTensorData } from './external-data.ts';
import { EXTERNAL, type TensorProto } from './proto.ts';
import { provenance } from './provenance.ts';

/** How a tensor goes out under a name; the default writes its elements into the model file. */
export type TensorExporter = (tensor: Tensor, name: string) => TensorProto;

/** A tensor with its elements in `raw_data`, or as it was read. Externally stored elements come inside. */
export function exportTensor(tensor: Tensor, name: string): TensorProto {
  const origin = provenance.tensor.get(tensor);
  if (origin === undefined) return newTensor(tensor, name);
  const proto = origin.dataLocation === EXTERNAL ? inlineTensor(origin, tensor.data) : origin;
  return (proto.name ?? '') === name ? proto : Object.assign(copyOf(proto), { name });
}

/** The message of a tensor with the elements in `data` inside it. */
export function inlineTensor(origin: TensorProto, data: TensorData): TensorProto {
  const proto = withoutElements(origin);
  proto.rawData = data instanceof ExternalTensorData ? data : data.bytes();
  return proto;
}

/** A copy of a tensor's message that says everything but the elements. */
export function withoutElements(origin: TensorProto): TensorProto {
  const proto = copyOf(origin);
  for (const field of ['rawData', 'externalData', 'dataLocation', 'floatData', 'int32Data'] as const)
    delete proto[field];
  for (const field of ['int64Data', 'doubleData', 'uint64Data', 'stringData'] as const) delete proto[field];
  return proto;
}

/** The same tensor under another name; it is still written in the form in which it was read. */
export function renamedTensor(tensor: Tensor, name: string): Tensor {
  const renamed = new Tensor(name, tensor.dataType, tensor.dims, tensor.data);
  const origin = provenance.tensor.get(tensor);
  if (origin !== undefined) provenance.tensor.set(renamed, Object.assign(copyOf(origin), { name }));
  return renamed;
}

/** Name, type and shape of a tensor that was not read from a file. */
export function newTensorHead(tensor: Tensor, name: string): TensorProto {
  const proto: TensorProto = { dataType: tensor.dataType };
  if (name !== '') proto.name = name;
  if (tensor.dims.length > 0) proto.dims = tensor.dims.map((dim) => Long.fromNumber(dim));
  return proto;
}

function newTensor(tensor: Tensor, name: string): TensorProto {
  const proto = newTensorHead(tensor, name);
  if (tensor.dataType === DataType.string) proto.stringData = [...(tensor.data.strings?.() ?? [])];
  else proto.rawData = tensor.data instanceof ExternalTensorData ? tensor.data : tensor.bytes();
  return proto;
}

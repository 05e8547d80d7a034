import type { Model } from '../../ir/model.ts';
import { DataType } from '../../tensor/data-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { exportTensor, newTensorHead, type TensorExporter, withoutElements } from './export-tensor.ts';
import { ExternalTensorData } from './external-data.ts';
import { EXTERNAL, type TensorProto } from './proto.ts';
import { provenance } from './provenance.ts';

/** Tensors begin at multiples of this, so that an engine can map them into memory. */
const ALIGNMENT_BYTES = 4096;

/** Where the tensors of a model went in a data file. */
export interface SpilledTensors {
  readonly count: number;
  /** Exports a tensor as a reference to the data file of this name where it went there, and inside the model otherwise. */
  exporter(dataFileName: string): TensorExporter;
}

/** Writes the elements of all initializers from a size on, in the order in which the model holds them. */
export function spillTensors(model: Model, thresholdBytes: number, write: (piece: Uint8Array) => void): SpilledTensors {
  const offsets = new Map<Tensor, number>();
  let position = 0;
  for (const tensor of tensorsOf(model)) {
    if (offsets.has(tensor) || tensor.dataType === DataType.string || tensor.byteLength < thresholdBytes) continue;
    const padding = (ALIGNMENT_BYTES - (position % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES;
    if (padding > 0) write(new Uint8Array(padding));
    position += padding;
    offsets.set(tensor, position);
    if (tensor.data instanceof ExternalTensorData) for (const piece of tensor.data.pieces()) write(piece);
    else write(tensor.bytes());
    position += tensor.byteLength;
  }
  return {
    count: offsets.size,
    exporter: (dataFileName) => (tensor, name) => {
      const offset = offsets.get(tensor);
      return offset === undefined ? exportTensor(tensor, name) : exportReference(tensor, name, dataFileName, offset);
    },
  };
}

/** Initializers only: engines look for external data there. */
function* tensorsOf(model: Model): Generator<Tensor, void, undefined> {
  for (const graph of model.graph.allGraphs()) {
    for (const { tensor } of graph.initializers) if (tensor !== undefined) yield tensor;
  }
}

function exportReference(tensor: Tensor, name: string, location: string, offset: number): TensorProto {
  const origin = provenance.tensor.get(tensor);
  const proto = origin === undefined ? newTensorHead(tensor, name) : withoutElements(origin);
  if ((proto.name ?? '') !== name) proto.name = name;
  proto.externalData = [
    { key: 'location', value: location },
    { key: 'offset', value: String(offset) },
    { key: 'length', value: String(tensor.byteLength) },
  ];
  proto.dataLocation = EXTERNAL;
  return proto;
}

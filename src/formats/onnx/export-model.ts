import Long from 'long';
import type { Model } from '../../ir/model.ts';
import { copyOf, setList, setNumber, setString } from './copy-message.ts';
import { GraphExporter } from './export-graph.ts';
import { exportTensor, inlineTensor, type TensorExporter } from './export-tensor.ts';
import { decodeDocString } from './import-model.ts';
import { mapTensors } from './map-tensors.ts';
import { type ModelProto, messageType, type OperatorSetIdProto, type StringEntryProto } from './proto.ts';
import { provenance } from './provenance.ts';

const utf8 = new TextEncoder();

/**
 * The message of a model, made of the messages it was read from wherever nothing changed. Nothing in it refers to the
 * data files of the model that was read: externally stored elements come inside, or go where `tensorExporter` puts them.
 */
export function exportModel(model: Model, tensorExporter: TensorExporter = exportTensor): ModelProto {
  const proto = copyOf(provenance.model.get(model));
  setNumber(proto, 'irVersion', model.irVersion);
  setString(proto, 'producerName', model.producerName);
  setString(proto, 'producerVersion', model.producerVersion);
  setString(proto, 'domain', model.domain);
  if (model.docString !== decodeDocString(proto)) proto.docString = utf8.encode(model.docString);
  setList(proto, 'opsetImport', exportOpsets(model, proto.opsetImport ?? []));
  setList(proto, 'metadataProps', exportMetadata(model, proto.metadataProps ?? []));
  proto.graph = new GraphExporter(tensorExporter).graph(model.graph);
  const hidden = provenance.hiddenData.get(model);
  if (hidden === undefined) return proto;
  return mapTensors(messageType('ModelProto'), proto, (tensor) => {
    const data = hidden.get(tensor);
    return data === undefined ? tensor : inlineTensor(tensor, data);
  });
}

function exportOpsets(model: Model, origin: readonly OperatorSetIdProto[]): OperatorSetIdProto[] {
  const known = new Map(origin.map((opset) => [opset.domain ?? '', opset]));
  const isUnchanged = (domain: string) => {
    const version = known.get(domain)?.version;
    return known.has(domain) && (version?.toNumber() ?? 0) === model.opsetImports.get(domain);
  };
  if (known.size === model.opsetImports.size && [...known.keys()].every(isUnchanged)) return [...origin];
  return Array.from(model.opsetImports, ([domain, version]) => {
    if (isUnchanged(domain)) return known.get(domain)!;
    const proto = copyOf(known.get(domain));
    setString(proto, 'domain', domain);
    proto.version = Long.fromNumber(version);
    return proto;
  });
}

function exportMetadata(model: Model, origin: readonly StringEntryProto[]): StringEntryProto[] {
  const known = new Map(origin.map((entry) => [entry.key ?? '', entry]));
  const isUnchanged = (key: string) => (known.get(key)?.value ?? '') === model.metadata.get(key);
  if (known.size === model.metadata.size && [...known.keys()].every(isUnchanged)) return [...origin];
  return Array.from(model.metadata, ([key, value]) => {
    if (known.has(key) && isUnchanged(key)) return known.get(key)!;
    return Object.assign(copyOf(known.get(key)), { key, value });
  });
}

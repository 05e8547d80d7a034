import { readFileSync } from 'node:fs';
import Long from 'long';
import protobuf from 'protobufjs';

/**
 * The messages of onnx.proto as the decoder gives them: a field that the file does not carry is not an own property.
 * Fields this project never looks at are not listed; they travel along all the same.
 */
export interface StringEntryProto {
  key?: string;
  value?: string;
}
export interface TensorProto {
  dims?: Long[];
  dataType?: number;
  segment?: object;
  floatData?: number[];
  int32Data?: number[];
  stringData?: Uint8Array[];
  int64Data?: Long[];
  name?: string;
  docString?: string;
  rawData?: Uint8Array;
  externalData?: StringEntryProto[];
  dataLocation?: number;
  doubleData?: number[];
  uint64Data?: Long[];
  metadataProps?: StringEntryProto[];
}
export interface SparseTensorProto {
  values?: TensorProto;
  indices?: TensorProto;
  dims?: Long[];
}
export interface DimensionProto {
  dimValue?: Long;
  dimParam?: string;
  denotation?: string;
}
export interface TypeProto {
  tensorType?: { elemType?: number; shape?: { dim?: DimensionProto[] } };
  sparseTensorType?: { elemType?: number; shape?: { dim?: DimensionProto[] } };
  sequenceType?: { elemType?: TypeProto };
  optionalType?: { elemType?: TypeProto };
  mapType?: { keyType?: number; valueType?: TypeProto };
  opaqueType?: object;
  denotation?: string;
}
export interface ValueInfoProto {
  name?: string;
  type?: TypeProto;
  docString?: string;
}
export interface AttributeProto {
  name?: string;
  refAttrName?: string;
  docString?: string;
  type?: number;
  f?: number;
  i?: Long;
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats?: number[];
  ints?: Long[];
  strings?: Uint8Array[];
  tensors?: TensorProto[];
  graphs?: GraphProto[];
}
export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  domain?: string;
  overload?: string;
  attribute?: AttributeProto[];
  docString?: string;
}
export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  sparseInitializer?: SparseTensorProto[];
  docString?: string;
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  valueInfo?: ValueInfoProto[];
  quantizationAnnotation?: object[];
  metadataProps?: StringEntryProto[];
}
export interface OperatorSetIdProto {
  domain?: string;
  version?: Long;
}
export interface FunctionProto {
  name?: string;
  domain?: string;
  overload?: string;
  node?: NodeProto[];
  opsetImport?: OperatorSetIdProto[];
}
export interface ModelProto {
  irVersion?: Long;
  opsetImport?: OperatorSetIdProto[];
  producerName?: string;
  producerVersion?: string;
  domain?: string;
  modelVersion?: Long;
  docString?: string;
  graph?: GraphProto;
  metadataProps?: StringEntryProto[];
  trainingInfo?: object[];
  functions?: FunctionProto[];
}

/** `TensorProto.DataLocation.EXTERNAL`. */
export const EXTERNAL = 1;

/** Numbers of `AttributeProto.AttributeType`. */
export const AttributeType = {
  undefined: 0,
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
} as const;

protobuf.util.Long = Long;
protobuf.configure();

const schema = JSON.parse(readFileSync(new URL('./onnx-schema.json', import.meta.url), 'utf8')) as protobuf.INamespace;
const root = protobuf.Root.fromJSON(schema);
root.resolveAll();
removeDefaults(root);

export type MessageName =
  | 'ModelProto'
  | 'GraphProto'
  | 'NodeProto'
  | 'AttributeProto'
  | 'TensorProto'
  | 'SparseTensorProto'
  | 'SequenceProto'
  | 'OptionalProto';

/** Takes the default values off the message prototypes: a field that is not in the file reads as undefined. */
function removeDefaults(namespace: protobuf.NamespaceBase): void {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Type) {
      const prototype = nested.ctor.prototype as Record<string, unknown>;
      for (const field of nested.fieldsArray) delete prototype[field.name];
    }
    if (nested instanceof protobuf.Namespace) removeDefaults(nested);
  }
}

const types = new Map<MessageName, protobuf.Type>();

/** The reflected type of a message; its fields know their numbers and kinds. */
export function messageType(name: MessageName): protobuf.Type {
  let type = types.get(name);
  if (type === undefined) {
    type = root.lookupType(`onnx.${name}`);
    types.set(name, type);
  }
  return type;
}

/**
 * Decodes one message, keeping unknown fields; `bytes` fields are views on the input.
 * @throws Error of the decoder where the bytes are no such message.
 */
export function decodeMessage<T>(name: MessageName, bytes: Uint8Array): T {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = protobuf.Reader.create(buffer);
  reader.discardUnknown = false;
  return messageType(name).decode(reader) as unknown as T;
}

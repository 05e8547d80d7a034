import { readFileSync } from 'node:fs';
import Long from 'long';
import protobuf from 'protobufjs';

/**
 * The messages of onnx.proto as the decoder gives them: a field that the file does not carry is not an own property.
 * Fields this project never looks at are not listed; they travel along all the same. Packed numbers of tensors stay in
 * their encoded form, which is smaller than an array of numbers; doc strings are bytes, as they need not be valid UTF-8.
 */
export interface StringEntryProto {
  key?: string;
  value?: string;
}
/** Bytes of a tensor that are read from another file when they are written, a piece at a time. */
export interface DeferredBytes {
  readonly byteLength: number;
  pieces(): Iterable<Uint8Array>;
}
export interface TensorProto {
  dims?: Long[];
  dataType?: number;
  segment?: object;
  floatData?: Uint8Array[];
  int32Data?: Uint8Array[];
  stringData?: Uint8Array[];
  int64Data?: Uint8Array[];
  name?: string;
  docString?: Uint8Array;
  rawData?: Uint8Array | DeferredBytes;
  externalData?: StringEntryProto[];
  dataLocation?: number;
  doubleData?: Uint8Array[];
  uint64Data?: Uint8Array[];
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
  docString?: Uint8Array;
}
export interface AttributeProto {
  name?: string;
  refAttrName?: string;
  docString?: Uint8Array;
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
  tp?: TypeProto;
  sparseTensor?: SparseTensorProto;
  sparseTensors?: SparseTensorProto[];
  typeProtos?: TypeProto[];
}
export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  domain?: string;
  overload?: string;
  attribute?: AttributeProto[];
  docString?: Uint8Array;
}
export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  sparseInitializer?: SparseTensorProto[];
  docString?: Uint8Array;
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
  input?: string[];
  output?: string[];
  attribute?: string[];
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
  docString?: Uint8Array;
  graph?: GraphProto;
  metadataProps?: StringEntryProto[];
  trainingInfo?: object[];
  functions?: FunctionProto[];
}

/** Fields that the schema does not know, or that came in an unexpected wire type: tag and payload as in the file. */
export function unknownFields(message: object): readonly Uint8Array[] {
  return (message as { $unknowns?: readonly Uint8Array[] }).$unknowns ?? [];
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
keepEncoded(schema);
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

/** Declares the fields that are kept in their encoded form as bytes. The wire form is the same. */
function keepEncoded(namespace: protobuf.INamespace): void {
  for (const nested of Object.values(namespace.nested ?? {}) as (protobuf.INamespace & Partial<protobuf.IType>)[]) {
    for (const [name, field] of Object.entries(nested.fields ?? {})) {
      if (field.options?.packed === true) {
        field.type = 'bytes';
        delete field.options;
      } else if (name === 'docString') field.type = 'bytes';
    }
    keepEncoded(nested);
  }
}

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

import Long from 'long';
import type { Graph } from '../../ir/graph.ts';
import type { Model } from '../../ir/model.ts';
import type { Node } from '../../ir/node.ts';
import type { Attribute, Int, Shape, ValueType } from '../../ir/types.ts';
import type { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { decodeDocString } from './import-model.ts';
import {
  type AttributeProto,
  AttributeType,
  type DimensionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type TypeProto,
  type ValueInfoProto,
} from './proto.ts';
import { provenance, type ValueInfoOrigins } from './provenance.ts';

const utf8 = new TextEncoder();

/** How a tensor goes out; the default writes its elements into the model file. */
export type TensorExporter = (tensor: Tensor) => TensorProto;

/** The message of a model, made of the messages it was read from wherever nothing changed. */
export function exportModel(model: Model, tensorExporter: TensorExporter = exportTensor): ModelProto {
  const proto = copyOf(provenance.model.get(model));
  setNumber(proto, 'irVersion', model.irVersion);
  setString(proto, 'producerName', model.producerName);
  setString(proto, 'producerVersion', model.producerVersion);
  setString(proto, 'domain', model.domain);
  if (model.docString !== decodeDocString(proto)) proto.docString = utf8.encode(model.docString);
  proto.opsetImport = exportOpsets(model, proto);
  proto.metadataProps = exportMetadata(model, proto);
  proto.graph = new GraphExporter(tensorExporter).graph(model.graph);
  if (proto.opsetImport.length === 0) delete proto.opsetImport;
  if (proto.metadataProps.length === 0) delete proto.metadataProps;
  return proto;
}

/** A tensor with its elements in `raw_data`, or as it was read. Externally stored elements come inside. */
export function exportTensor(tensor: Tensor): TensorProto {
  const origin = provenance.tensor.get(tensor);
  if (origin !== undefined && (origin.dataLocation ?? 0) === 0) return origin;
  const proto: TensorProto = { name: tensor.name, dataType: tensor.dataType, dims: exportDims(tensor.dims) };
  if (tensor.dataType === DataType.string) proto.stringData = [...(tensor.data.strings?.() ?? [])];
  else proto.rawData = tensor.bytes();
  if (proto.dims!.length === 0) delete proto.dims;
  if (tensor.name === '') delete proto.name;
  return proto;
}

export function exportDims(dims: readonly number[]): Long[] {
  return dims.map((dim) => Long.fromNumber(dim));
}

class GraphExporter {
  readonly #tensor: TensorExporter;

  constructor(tensorExporter: TensorExporter) {
    this.#tensor = tensorExporter;
  }

  graph(graph: Graph): GraphProto {
    const origin = provenance.graph.get(graph);
    const proto = copyOf(origin);
    setString(proto, 'name', graph.name);
    setList(
      proto,
      'node',
      Array.from(graph.nodes(), (node) => this.#node(node)),
    );
    setList(
      proto,
      'initializer',
      Array.from(graph.initializers, (value) => this.#initializer(value)),
    );
    setList(
      proto,
      'input',
      graph.inputs.map((value) => exportValueInfo(value, 'input')),
    );
    setList(
      proto,
      'output',
      graph.outputs.map((value) => exportValueInfo(value, 'output')),
    );
    setList(proto, 'valueInfo', exportValueInfos(graph, origin));
    return proto;
  }

  #node(node: Node): NodeProto {
    const proto = copyOf(provenance.node.get(node));
    setList(
      proto,
      'input',
      node.inputs.map((value) => value?.name ?? ''),
    );
    setList(
      proto,
      'output',
      node.outputs.map((value) => value.name),
    );
    setString(proto, 'name', node.name);
    setString(proto, 'opType', node.opType);
    setString(proto, 'domain', node.domain);
    setString(proto, 'overload', node.overload);
    setList(
      proto,
      'attribute',
      Array.from(node.attributes.values(), (attribute) => this.#attribute(attribute)),
    );
    return proto;
  }

  #initializer(value: Value): TensorProto {
    const tensor = value.tensor!;
    const proto = this.#tensor(tensor);
    return (proto.name ?? '') === value.name ? proto : Object.assign(copyOf(proto), { name: value.name });
  }

  #attribute(attribute: Attribute): AttributeProto {
    const origin = provenance.attribute.get(attribute);
    const holdsTensor = attribute.kind === 'tensor' || attribute.kind === 'tensors';
    const holdsGraph = attribute.kind === 'graph' || attribute.kind === 'graphs';
    if (origin !== undefined && !holdsTensor && !holdsGraph) return origin;
    const proto = copyOf(origin);
    setString(proto, 'name', attribute.name);
    if (origin?.type !== undefined || origin === undefined) {
      proto.type = AttributeType[attribute.kind === 'opaque' ? 'undefined' : attribute.kind];
    }
    switch (attribute.kind) {
      case 'float':
        proto.f = attribute.value;
        break;
      case 'int':
        proto.i = exportInt(attribute.value);
        break;
      case 'string':
        proto.s = attribute.value;
        break;
      case 'floats':
        proto.floats = [...attribute.value];
        break;
      case 'ints':
        proto.ints = attribute.value.map(exportInt);
        break;
      case 'strings':
        proto.strings = [...attribute.value];
        break;
      case 'tensor':
        if (origin === undefined || origin.t !== undefined) proto.t = this.#tensor(attribute.value);
        break;
      case 'tensors':
        proto.tensors = attribute.value.map((tensor) => this.#tensor(tensor));
        break;
      case 'graph':
        proto.g = this.graph(attribute.value);
        break;
      case 'graphs':
        proto.graphs = attribute.value.map((graph) => this.graph(graph));
        break;
      case 'opaque':
        break;
    }
    return proto;
  }
}

export function exportType(type: ValueType): TypeProto {
  const origin = provenance.type.get(type);
  if (origin !== undefined) return origin;
  switch (type.kind) {
    case 'tensor':
      return { tensorType: exportTensorType(type.elemType, type.shape) };
    case 'sparse-tensor':
      return { sparseTensorType: exportTensorType(type.elemType, type.shape) };
    case 'sequence':
      return { sequenceType: type.elementType === undefined ? {} : { elemType: exportType(type.elementType) } };
    case 'optional':
      return { optionalType: type.elementType === undefined ? {} : { elemType: exportType(type.elementType) } };
    case 'map':
      return {
        mapType: {
          keyType: type.keyType,
          ...(type.valueType === undefined ? {} : { valueType: exportType(type.valueType) }),
        },
      };
    default:
      return {};
  }
}

function exportTensorType(elemType: number, shape: Shape | undefined): NonNullable<TypeProto['tensorType']> {
  return shape === undefined ? { elemType } : { elemType, shape: { dim: shape.map(exportDim) } };
}

function exportDim(dim: Shape[number]): DimensionProto {
  if (dim === undefined) return {};
  return typeof dim === 'number' ? { dimValue: Long.fromNumber(dim) } : { dimParam: dim };
}

function exportValueInfo(value: Value, role: keyof ValueInfoOrigins): ValueInfoProto {
  const origin = provenance.value.get(value)?.[role];
  const proto = copyOf(origin);
  setString(proto, 'name', value.name);
  // An unchanged type is written as this list had it, even if another list of the graph says more.
  if (value.type !== undefined && (origin === undefined || !isUnchanged(value))) proto.type = exportType(value.type);
  return proto;
}

function isUnchanged(value: Value): boolean {
  return value.type === undefined || provenance.type.has(value.type);
}

function exportInt(value: Int): Long {
  return typeof value === 'bigint' ? Long.fromString(value.toString()) : Long.fromNumber(value);
}

function exportOpsets(model: Model, origin: ModelProto): NonNullable<ModelProto['opsetImport']> {
  const known = new Map((origin.opsetImport ?? []).map((opset) => [opset.domain ?? '', opset]));
  return Array.from(model.opsetImports, ([domain, version]) => {
    const before = known.get(domain);
    if (before?.version !== undefined && before.version.toNumber() === version) return before;
    const proto = copyOf(before);
    setString(proto, 'domain', domain);
    proto.version = Long.fromNumber(version);
    return proto;
  });
}

function exportMetadata(model: Model, origin: ModelProto): NonNullable<ModelProto['metadataProps']> {
  const known = new Map((origin.metadataProps ?? []).map((entry) => [entry.key ?? '', entry]));
  return Array.from(model.metadata, ([key, value]) => {
    const before = known.get(key);
    if (before !== undefined && (before.value ?? '') === value) return before;
    return Object.assign(copyOf(before), { key, value });
  });
}

function definedValues(graph: Graph): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const value of graph.inputs) values.set(value.name, value);
  for (const value of graph.initializers) values.set(value.name, value);
  for (const node of graph.nodes()) for (const value of node.outputs) values.set(value.name, value);
  return values;
}

/**
 * The `value_info` list: the file's entries in their order (repeated ones and those of names the file never defines
 * included, those of values that are gone or renamed not), then the new ones.
 */
function exportValueInfos(graph: Graph, origin: GraphProto | undefined): ValueInfoProto[] {
  const defined = definedValues(graph);
  const wereDefined = new Set((origin?.node ?? []).flatMap((node) => node.output ?? []));
  const pending = new Set(Array.from(graph.valueInfo).filter((value) => defined.get(value.name) === value));
  const infos: ValueInfoProto[] = [];
  for (const info of origin?.valueInfo ?? []) {
    const value = defined.get(info.name ?? '');
    if (value === undefined) {
      if (!wereDefined.has(info.name ?? '')) infos.push(info);
    } else if (pending.delete(value)) {
      infos.push(exportValueInfo(value, 'info'));
    } else if (graph.valueInfo.has(value) && isUnchanged(value)) {
      infos.push(info);
    }
  }
  for (const value of pending) infos.push(exportValueInfo(value, 'info'));
  return infos;
}

/** A shallow copy of a message, its unknown fields included. */
function copyOf<T extends object>(message: T | undefined): T {
  const copy = {} as T;
  if (message === undefined) return copy;
  Object.assign(copy, message);
  const unknowns = (message as { $unknowns?: unknown }).$unknowns;
  if (unknowns !== undefined) Object.defineProperty(copy, '$unknowns', { value: unknowns, enumerable: false });
  return copy;
}

/** An empty string is written only where the file had the field before. */
function setString<T extends object, K extends keyof T>(proto: T, key: K, value: string): void {
  if (value !== '' || Object.hasOwn(proto, key)) proto[key] = value as T[K];
}

function setNumber<T extends object, K extends keyof T>(proto: T, key: K, value: number): void {
  if (value !== 0 || Object.hasOwn(proto, key)) proto[key] = Long.fromNumber(value) as T[K];
}

function setList<T extends object, K extends keyof T>(proto: T, key: K, list: unknown[]): void {
  if (list.length > 0) proto[key] = list as T[K];
  else delete proto[key];
}

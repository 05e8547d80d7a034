import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { Graph } from '../../ir/graph.ts';
import { Model, type ModelFunction } from '../../ir/model.ts';
import { Node } from '../../ir/node.ts';
import type { Attribute, Dim, ValueType } from '../../ir/types.ts';
import { tensorType } from '../../ir/types.ts';
import { Value } from '../../ir/value.ts';
import { Tensor, type TensorData } from '../../tensor/tensor.ts';
import {
  type AttributeProto,
  AttributeType,
  EXTERNAL,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type TypeProto,
  type ValueInfoProto,
} from './proto.ts';
import { provenance, type ValueInfoOrigins } from './provenance.ts';
import { inlineTensorData, longToBigInt, longToInt } from './tensor-data.ts';

/** Finds the bytes of a tensor that is stored outside the model file. */
export type ExternalDataResolver = (proto: TensorProto, elementCount: number) => TensorData;

/** The largest element count a tensor may state: beyond it, no file of this world backs the claim. */
const MAX_ELEMENTS = 2 ** 40;

/**
 * Builds the IR of a decoded model. Names are resolved as the specification says: a subgraph sees the values of the
 * graphs around it.
 * @throws EdgepackError `model-invalid` where a name is defined twice or a tensor states an impossible shape.
 */
export function importModel(proto: ModelProto, resolveExternal: ExternalDataResolver): Model {
  if (proto.graph === undefined) {
    throw new EdgepackError('model-unreadable', 'holds no graph', {
      hint: 'check that the file is an ONNX model and was copied whole',
    });
  }
  const importer = new GraphImporter(resolveExternal);
  const graph = importer.graph(proto.graph, undefined);
  const opsets = new Map<string, number>();
  for (const opset of proto.opsetImport ?? []) {
    opsets.set(opset.domain ?? '', Number(opset.version === undefined ? 0n : longToBigInt(opset.version)));
  }
  const model = new Model(graph, opsets, proto.irVersion?.toNumber() ?? 0);
  model.producerName = proto.producerName ?? '';
  model.producerVersion = proto.producerVersion ?? '';
  model.domain = proto.domain ?? '';
  model.docString = proto.docString ?? '';
  for (const { key, value } of proto.metadataProps ?? []) model.metadata.set(key ?? '', value ?? '');
  model.functions = (proto.functions ?? []).map(
    (fn): ModelFunction => ({
      domain: fn.domain ?? '',
      name: fn.name ?? '',
      overload: fn.overload ?? '',
      opTypes: [...new Set((fn.node ?? []).map((node) => node.opType ?? ''))],
    }),
  );
  provenance.model.set(model, proto);
  return model;
}

class Scope {
  readonly values = new Map<string, Value>();
  readonly parent: Scope | undefined;

  constructor(parent: Scope | undefined) {
    this.parent = parent;
  }

  find(name: string): Value | undefined {
    return this.values.get(name) ?? this.parent?.find(name);
  }
}

class GraphImporter {
  readonly #resolveExternal: ExternalDataResolver;

  constructor(resolveExternal: ExternalDataResolver) {
    this.#resolveExternal = resolveExternal;
  }

  graph(proto: GraphProto, parentScope: Scope | undefined): Graph {
    const graph = new Graph(proto.name ?? '');
    const scope = new Scope(parentScope);
    for (const info of proto.input ?? []) graph.inputs.push(this.#define(scope, info, 'input'));
    for (const tensorProto of proto.initializer ?? []) {
      const tensor = this.tensor(tensorProto);
      let value = scope.values.get(tensor.name);
      if (value === undefined) {
        value = new Value(tensor.name, tensorType(tensor.dataType, tensor.dims));
        scope.values.set(tensor.name, value);
      } else if (value.tensor !== undefined) {
        throw duplicate(tensor.name, 'initializers');
      }
      value.tensor = tensor;
      graph.initializers.add(value);
    }
    // Sparse initializers stay in the file's own form; here they only define a name.
    for (const sparse of proto.sparseInitializer ?? []) {
      const name = sparse.values?.name ?? '';
      const dims = (sparse.dims ?? []).map((dim) => dim.toNumber());
      if (!scope.values.has(name)) {
        scope.values.set(
          name,
          new Value(name, { kind: 'sparse-tensor', elemType: sparse.values?.dataType ?? 0, shape: dims }),
        );
      }
    }
    // All outputs are defined before any input is looked up, so that an unsorted file is seen as it is.
    const nodes: [Node, NodeProto][] = [];
    for (const nodeProto of proto.node ?? []) {
      const outputs = (nodeProto.output ?? []).map((name) => {
        const value = new Value(name);
        if (name !== '') {
          if (scope.values.has(name)) throw duplicate(name, 'outputs');
          scope.values.set(name, value);
        }
        return value;
      });
      const node = new Node(nodeProto.opType ?? '', [], outputs, {
        name: nodeProto.name ?? '',
        domain: nodeProto.domain ?? '',
        overload: nodeProto.overload ?? '',
      });
      provenance.node.set(node, nodeProto);
      nodes.push([node, nodeProto]);
    }
    for (const info of proto.valueInfo ?? []) {
      const value = scope.values.get(info.name ?? '');
      if (value === undefined) continue;
      this.#describe(value, info, 'info');
      graph.valueInfo.add(value);
    }
    for (const [node, nodeProto] of nodes) {
      for (const name of nodeProto.input ?? []) {
        node.addInput(name === '' ? undefined : (scope.find(name) ?? undefinedValue(scope, name)));
      }
      graph.append(node);
      for (const attributeProto of nodeProto.attribute ?? []) {
        const attribute = this.attribute(attributeProto, scope);
        node.attributes.set(attribute.name, attribute);
      }
      for (const subgraph of node.subgraphs()) subgraph.owner = node;
    }
    for (const info of proto.output ?? []) {
      const name = info.name ?? '';
      const value = scope.find(name) ?? undefinedValue(scope, name);
      this.#describe(value, info, 'output');
      graph.outputs.push(value);
    }
    provenance.graph.set(graph, proto);
    return graph;
  }

  tensor(proto: TensorProto): Tensor {
    const name = proto.name ?? '';
    const dims = (proto.dims ?? []).map((dim) => Number(longToBigInt(dim)));
    const elementCount = dims.reduce((product, dim) => product * dim, 1);
    if (dims.some((dim) => dim < 0) || elementCount > MAX_ELEMENTS) {
      throw new EdgepackError('model-invalid', `states an impossible shape [${dims.join(', ')}]`, {
        location: { tensor: printable(name) },
        hint: 'export the model again',
      });
    }
    const data =
      proto.dataLocation === EXTERNAL
        ? this.#resolveExternal(proto, elementCount)
        : inlineTensorData(proto, elementCount);
    const tensor = new Tensor(name, proto.dataType ?? 0, dims, data);
    provenance.tensor.set(tensor, proto);
    return tensor;
  }

  attribute(proto: AttributeProto, scope: Scope): Attribute {
    const attribute = this.#attributeValue(proto, scope);
    provenance.attribute.set(attribute, proto);
    return attribute;
  }

  #attributeValue(proto: AttributeProto, scope: Scope): Attribute {
    const name = proto.name ?? '';
    if (proto.refAttrName !== undefined && proto.refAttrName !== '') return { name, kind: 'opaque', value: undefined };
    switch (proto.type ?? guessType(proto)) {
      case AttributeType.float:
        return { name, kind: 'float', value: proto.f ?? 0 };
      case AttributeType.int:
        return { name, kind: 'int', value: proto.i === undefined ? 0 : longToInt(proto.i) };
      case AttributeType.string:
        return { name, kind: 'string', value: proto.s ?? new Uint8Array(0) };
      case AttributeType.tensor:
        return { name, kind: 'tensor', value: this.tensor(proto.t ?? {}) };
      case AttributeType.graph:
        return { name, kind: 'graph', value: this.graph(proto.g ?? {}, scope) };
      case AttributeType.floats:
        return { name, kind: 'floats', value: proto.floats ?? [] };
      case AttributeType.ints:
        return { name, kind: 'ints', value: (proto.ints ?? []).map(longToInt) };
      case AttributeType.strings:
        return { name, kind: 'strings', value: proto.strings ?? [] };
      case AttributeType.tensors:
        return { name, kind: 'tensors', value: (proto.tensors ?? []).map((tensor) => this.tensor(tensor)) };
      case AttributeType.graphs:
        return { name, kind: 'graphs', value: (proto.graphs ?? []).map((graph) => this.graph(graph, scope)) };
      default:
        return { name, kind: 'opaque', value: undefined };
    }
  }

  #define(scope: Scope, info: ValueInfoProto, role: keyof ValueInfoOrigins): Value {
    const name = info.name ?? '';
    if (scope.values.has(name)) throw duplicate(name, 'inputs');
    const value = new Value(name);
    scope.values.set(name, value);
    this.#describe(value, info, role);
    return value;
  }

  #describe(value: Value, info: ValueInfoProto, role: keyof ValueInfoOrigins): void {
    const origins = provenance.value.get(value) ?? {};
    origins[role] ??= info;
    provenance.value.set(value, origins);
    if (info.type !== undefined && (value.type === undefined || role !== 'info')) value.type = importType(info.type);
  }
}

/** Reads a type; the same message gives a type object that is written back as that message. */
export function importType(proto: TypeProto): ValueType {
  const type = typeOf(proto);
  provenance.type.set(type, proto);
  return type;
}

function typeOf(proto: TypeProto): ValueType {
  const tensor = proto.tensorType ?? proto.sparseTensorType;
  if (tensor !== undefined) {
    const shape = tensor.shape === undefined ? undefined : (tensor.shape.dim ?? []).map(importDim);
    return { kind: proto.tensorType === undefined ? 'sparse-tensor' : 'tensor', elemType: tensor.elemType ?? 0, shape };
  }
  const sequence = proto.sequenceType ?? proto.optionalType;
  if (sequence !== undefined) {
    const kind = proto.sequenceType === undefined ? 'optional' : 'sequence';
    return { kind, elementType: sequence.elemType === undefined ? undefined : importType(sequence.elemType) };
  }
  if (proto.mapType !== undefined) {
    const { keyType, valueType } = proto.mapType;
    return {
      kind: 'map',
      keyType: keyType ?? 0,
      valueType: valueType === undefined ? undefined : importType(valueType),
    };
  }
  return proto.opaqueType === undefined ? { kind: 'unknown' } : { kind: 'opaque' };
}

function importDim(dim: { dimValue?: { toNumber(): number }; dimParam?: string }): Dim {
  if (dim.dimValue !== undefined) {
    const value = dim.dimValue.toNumber();
    return value < 0 ? undefined : value;
  }
  return dim.dimParam === undefined || dim.dimParam === '' ? undefined : dim.dimParam;
}

/** Very old files leave the attribute's type out: it is what the filled field says. */
function guessType(proto: AttributeProto): number {
  if (proto.f !== undefined) return AttributeType.float;
  if (proto.i !== undefined) return AttributeType.int;
  if (proto.s !== undefined) return AttributeType.string;
  if (proto.t !== undefined) return AttributeType.tensor;
  if (proto.g !== undefined) return AttributeType.graph;
  if (proto.floats?.length) return AttributeType.floats;
  if (proto.ints?.length) return AttributeType.ints;
  if (proto.strings?.length) return AttributeType.strings;
  if (proto.tensors?.length) return AttributeType.tensors;
  if (proto.graphs?.length) return AttributeType.graphs;
  return AttributeType.undefined;
}

/** A name that nothing defines: kept so that `verify` can name it. */
function undefinedValue(scope: Scope, name: string): Value {
  const value = new Value(name);
  scope.values.set(name, value);
  return value;
}

function duplicate(name: string, what: string): EdgepackError {
  return new EdgepackError('model-invalid', `the name '${printable(name)}' is defined twice (among ${what})`, {
    location: { tensor: printable(name) },
    hint: 'export the model again; every value of an ONNX graph needs a name of its own',
  });
}

import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { Graph } from '../../ir/graph.ts';
import { Node } from '../../ir/node.ts';
import { tensorType, type ValueType } from '../../ir/types.ts';
import { Value } from '../../ir/value.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checkSparseTensor } from './check-sparse-tensor.ts';
import { type AttributePartImporter, importAttribute } from './import-attribute.ts';
import type { TensorImporter } from './import-tensor.ts';
import { importType } from './import-type.ts';
import type { GraphProto, NodeProto, SparseTensorProto, TensorProto, ValueInfoProto } from './proto.ts';
import { provenance, type ValueInfoOrigins } from './provenance.ts';
import { longToInt } from './tensor-data.ts';

/** The values that a name can mean inside a graph: its own and those of the graphs around it. */
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

/** Builds a graph and the graphs inside it. Errors name the node they were met in. */
export class GraphImporter {
  readonly #importTensor: TensorImporter;
  readonly #inFunction: boolean;

  /** @param inFunction attributes may refer to those of a function. */
  constructor(importTensor: TensorImporter, inFunction = false) {
    this.#importTensor = importTensor;
    this.#inFunction = inFunction;
  }

  graph(proto: GraphProto, parentScope?: Scope): Graph {
    const graph = new Graph(proto.name ?? '');
    const scope = new Scope(parentScope);
    for (const info of proto.input ?? []) graph.inputs.push(this.#input(scope, info));
    for (const tensorProto of proto.initializer ?? []) this.#initializer(graph, scope, tensorProto);
    for (const sparse of proto.sparseInitializer ?? []) defineSparse(scope, sparse);
    // All outputs are defined before any input is looked up, so that an unsorted file is seen as it is.
    const nodes = (proto.node ?? []).map((nodeProto) => this.#node(scope, nodeProto));
    for (const info of proto.valueInfo ?? []) {
      const value = scope.values.get(info.name ?? '');
      if (value === undefined) continue;
      describe(value, info, 'info');
      graph.valueInfo.add(value);
    }
    nodes.forEach((node, i) => {
      this.#connect(graph, scope, node, proto.node![i]!);
    });
    for (const info of proto.output ?? []) {
      const name = info.name ?? '';
      const value = scope.find(name) ?? undefinedValue(scope, name);
      describe(value, info, 'output');
      graph.outputs.push(value);
    }
    provenance.graph.set(graph, proto);
    return graph;
  }

  tensor(proto: TensorProto): Tensor {
    return this.#importTensor(proto);
  }

  #input(scope: Scope, info: ValueInfoProto): Value {
    const name = info.name ?? '';
    if (name === '') throw invalid('has a graph input without a name');
    if (scope.values.has(name)) throw duplicate(name, 'inputs');
    const value = new Value(name);
    scope.values.set(name, value);
    describe(value, info, 'input');
    return value;
  }

  #initializer(graph: Graph, scope: Scope, proto: TensorProto): void {
    const tensor = this.tensor(proto);
    if (tensor.name === '') throw invalid('has an initializer without a name');
    let value = scope.values.get(tensor.name);
    if (value === undefined) {
      if (scope.find(tensor.name) !== undefined) throw duplicate(tensor.name, 'the graphs around a subgraph');
      value = new Value(tensor.name, derived(tensorType(tensor.dataType, tensor.dims)));
      scope.values.set(tensor.name, value);
    } else if (value.tensor !== undefined) {
      throw duplicate(tensor.name, 'initializers');
    }
    value.tensor = tensor;
    graph.initializers.add(value);
  }

  /** A node with its outputs; inputs and attributes follow once all names are known. */
  #node(scope: Scope, proto: NodeProto): Node {
    const outputs = (proto.output ?? []).map((name) => {
      const value = new Value(name);
      if (name !== '') {
        if (scope.values.has(name)) throw locate(duplicate(name, 'outputs'), proto);
        // ONNX has no names that hide others: a node's outputs are unique in its graph and those around.
        if (scope.find(name) !== undefined) throw locate(duplicate(name, 'the graphs around a subgraph'), proto);
        scope.values.set(name, value);
      }
      return value;
    });
    if (outputs.length === 0) throw locate(invalid('the node has no output'), proto);
    const node = new Node(proto.opType ?? '', [], outputs, {
      name: proto.name ?? '',
      domain: proto.domain ?? '',
      overload: proto.overload ?? '',
    });
    provenance.node.set(node, proto);
    return node;
  }

  #connect(graph: Graph, scope: Scope, node: Node, proto: NodeProto): void {
    for (const name of proto.input ?? []) {
      node.addInput(name === '' ? undefined : (scope.find(name) ?? undefinedValue(scope, name)));
    }
    graph.append(node);
    if (proto.attribute === undefined) return;
    const parts: AttributePartImporter = {
      tensor: (tensorProto) => this.tensor(tensorProto),
      graph: (graphProto) => this.graph(graphProto, scope),
      allowsReferences: this.#inFunction,
    };
    try {
      for (const attributeProto of proto.attribute) {
        const attribute = importAttribute(attributeProto, parts);
        if (node.attributes.has(attribute.name)) {
          throw invalid(`has two attributes '${printable(attribute.name)}'`);
        }
        node.attributes.set(attribute.name, attribute);
      }
    } catch (error) {
      throw error instanceof EdgepackError ? locate(error, proto) : error;
    }
    for (const subgraph of node.subgraphs()) subgraph.owner = node;
  }
}

/** Sparse initializers stay in the file's own form; here they only define a name. */
function defineSparse(scope: Scope, proto: SparseTensorProto): void {
  checkSparseTensor(proto);
  const name = proto.values?.name ?? '';
  if (scope.values.has(name)) return;
  const shape = (proto.dims ?? []).map((dim) => Number(longToInt(dim)));
  const type: ValueType = { kind: 'sparse-tensor', elemType: proto.values?.dataType ?? 0, shape };
  scope.values.set(name, new Value(name, derived(type)));
}

function derived<T extends ValueType>(type: T): T {
  provenance.derivedType.add(type);
  return type;
}

function describe(value: Value, info: ValueInfoProto, role: keyof ValueInfoOrigins): void {
  let origins = provenance.value.get(value);
  if (origins === undefined) {
    origins = {};
    provenance.value.set(value, origins);
  }
  origins[role] ??= info;
  if (info.type !== undefined && (value.type === undefined || role !== 'info')) value.type = importType(info.type);
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

function invalid(message: string): EdgepackError {
  return new EdgepackError('model-invalid', message, {
    hint: 'the file is damaged or was written by a faulty tool: export the model again',
  });
}

/** The same error with the name of the node it concerns; the innermost node wins. */
function locate(error: EdgepackError, proto: NodeProto): EdgepackError {
  if (error.location.node !== undefined) return error;
  const node = proto.name || proto.output?.[0] || proto.opType || '';
  return new EdgepackError(error.code, error.message, {
    location: { ...error.location, node: printable(node) },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error.cause,
  });
}

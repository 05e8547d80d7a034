import Long from 'long';
import type { Graph } from '../../ir/graph.ts';
import type { Node } from '../../ir/node.ts';
import type { Attribute, Int } from '../../ir/types.ts';
import type { Value } from '../../ir/value.ts';
import { copyOf, setList, setString } from './copy-message.ts';
import type { TensorExporter } from './export-tensor.ts';
import { exportType } from './export-type.ts';
import {
  type AttributeProto,
  AttributeType,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto.ts';
import { provenance, type ValueInfoOrigins } from './provenance.ts';

/** Builds the message of a graph and of the graphs inside it. */
export class GraphExporter {
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
    return this.#tensor(value.tensor!, value.name);
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
        if (origin === undefined || origin.t !== undefined)
          proto.t = this.#tensor(attribute.value, attribute.value.name);
        break;
      case 'tensors':
        proto.tensors = attribute.value.map((tensor) => this.#tensor(tensor, tensor.name));
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

function exportValueInfo(value: Value, role: keyof ValueInfoOrigins): ValueInfoProto {
  const origin = provenance.value.get(value)?.[role];
  const proto = copyOf(origin);
  setString(proto, 'name', value.name);
  // An unchanged type is written as this list had it, even if another list of the graph says more.
  if (value.type !== undefined && (origin === undefined || !isUnchanged(value))) proto.type = exportType(value.type);
  return proto;
}

/** True if the value still has the type that one of its own records, or its content, stated. */
function isUnchanged(value: Value): boolean {
  if (value.type === undefined || provenance.derivedType.has(value.type)) return true;
  const proto = provenance.type.get(value.type);
  const origins = provenance.value.get(value);
  return proto !== undefined && [origins?.input, origins?.output, origins?.info].some((info) => info?.type === proto);
}

function exportInt(value: Int): Long {
  return typeof value === 'bigint' ? Long.fromString(value.toString()) : Long.fromNumber(value);
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

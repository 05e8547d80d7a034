import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import type {
  AttributeProto,
  DimensionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  TypeProto,
  ValueInfoProto,
} from '../onnx/proto.ts';
import { toLong } from '../onnx/tensor-data.ts';
import { FlatbufferReader } from './flatbuffer-reader.ts';

/** Fields by their numbers in ONNX Runtime's `ort.fbs`. */
const session = { model: 1 } as const;
const model = { irVersion: 0, opsets: 1, producer: 2, producerVersion: 3, domain: 4, graph: 7 } as const;
const opset = { domain: 0, version: 1 } as const;
const graphs = { initializers: 0, values: 1, nodes: 2, inputs: 5, outputs: 6, sparse: 7 } as const;
const nodes = { name: 0, domain: 2, opType: 5, inputs: 8, outputs: 9, attributes: 10, implicit: 12 } as const;
const values = { name: 0, type: 2 } as const;
const types = { kind: 1, value: 2 } as const;
const tensorType = { elemType: 0, shape: 1 } as const;
const dimension = { kind: 0, value: 1, name: 2 } as const;
const tensors = { name: 0, dims: 2, dataType: 3, raw: 4, texts: 5, externalOffset: 6 } as const;
const attributes = {
  name: 0,
  type: 2,
  f: 3,
  i: 4,
  s: 5,
  t: 6,
  g: 7,
  floats: 8,
  ints: 9,
  strings: 10,
  tensors: 11,
  graphs: 12,
} as const;

/**
 * The graph of a file in ONNX Runtime's own format, as the messages of onnx.proto: nodes in an order in which they can run,
 * tensors as views on `bytes`. What only the engine needs (kernels, providers, recorded optimisations) is left out.
 * @throws EdgepackError `model-unreadable` or `model-too-large`.
 */
export function decodeOrt(bytes: Uint8Array): ModelProto {
  try {
    return new OrtDecoder(bytes).model();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new EdgepackError('model-unreadable', `is not a readable .ort model (${cause.message})`, {
      hint: 'check that the file was copied whole; "edgepack compress --format ort" writes it again',
      cause,
    });
  }
}

/** Tables may share what they point to: each is counted as often as it is read, and a file of any size has an end. */
const BASE_PARTS = 2 ** 17;
const MAX_DEPTH = 50;

const utf8 = new TextDecoder('utf-8', { fatal: true });

class OrtDecoder {
  readonly #reader: FlatbufferReader;
  #partsLeft: number;

  constructor(bytes: Uint8Array) {
    this.#reader = new FlatbufferReader(bytes);
    this.#partsLeft = BASE_PARTS + bytes.byteLength / 4;
  }

  model(): ModelProto {
    const reader = this.#reader;
    const root = reader.follow(reader.field(reader.root, session.model));
    const version = reader.optional(root, model.irVersion);
    return {
      ...(version === undefined ? {} : { irVersion: this.#long(version) }),
      opsetImport: this.#tables(root, model.opsets).map((entry) => ({
        domain: this.#text(entry, opset.domain),
        version: this.#long(reader.field(entry, opset.version)),
      })),
      producerName: this.#text(root, model.producer),
      producerVersion: this.#text(root, model.producerVersion),
      domain: this.#text(root, model.domain),
      graph: this.#graph(reader.follow(reader.field(root, model.graph)), 0),
    };
  }

  #graph(table: number, depth: number): GraphProto {
    if (depth > MAX_DEPTH) throw new RangeError(`graphs are nested more than ${MAX_DEPTH} deep`);
    if (this.#tables(table, graphs.sparse).length > 0) throw new RangeError('it has sparse initializers');
    const described = new Map(
      this.#tables(table, graphs.values).map((entry) => {
        const info = this.#value(entry);
        return [info.name, info] as const;
      }),
    );
    const named = (name: string): ValueInfoProto => described.get(name) ?? { name };
    const [inputs, outputs] = [this.#texts(table, graphs.inputs), this.#texts(table, graphs.outputs)];
    const outer = new Set([...inputs, ...outputs]);
    return {
      initializer: this.#tables(table, graphs.initializers).map((entry) => this.#tensor(entry)),
      input: inputs.map(named),
      output: outputs.map(named),
      valueInfo: [...described.values()].filter(({ name, type }) => type !== undefined && !outer.has(name!)),
      node: inRunningOrder(this.#tables(table, graphs.nodes).map((entry) => this.#node(entry, depth))),
    };
  }

  #node(table: number, depth: number): OrderedNode {
    const proto: NodeProto = {
      name: this.#text(table, nodes.name),
      domain: this.#text(table, nodes.domain),
      opType: this.#text(table, nodes.opType),
      input: this.#texts(table, nodes.inputs),
      output: this.#texts(table, nodes.outputs),
      attribute: this.#tables(table, nodes.attributes).map((entry) => this.#attribute(entry, depth)),
    };
    return { proto, reads: [...proto.input!, ...this.#texts(table, nodes.implicit)] };
  }

  #attribute(table: number, depth: number): AttributeProto {
    const reader = this.#reader;
    const scalar = <T>(field: number, read: (at: number) => T) => {
      const at = reader.optional(table, field);
      return at === undefined ? undefined : read(at);
    };
    const child = (field: number) => scalar(field, (at) => reader.follow(at));
    const type = scalar(attributes.type, (at) => reader.i32(at)) ?? 0;
    const [t, g] = [child(attributes.t), child(attributes.g)];
    const proto: AttributeProto = { name: this.#text(table, attributes.name), type };
    // A number that is not written has its default, which the message must say.
    if (type === 1) proto.f = scalar(attributes.f, (at) => reader.f32(at)) ?? 0;
    if (type === 2) proto.i = scalar(attributes.i, (at) => this.#long(at)) ?? toLong(0n);
    if (type === 3) proto.s = scalar(attributes.s, (at) => reader.text(at)) ?? new Uint8Array();
    if (type === 4 && t !== undefined) proto.t = this.#tensor(t);
    if (type === 5 && g !== undefined) proto.g = this.#graph(g, depth + 1);
    if (type === 6) proto.floats = this.#entries(table, attributes.floats, 4).map((at) => reader.f32(at));
    if (type === 7) proto.ints = this.#entries(table, attributes.ints, 8).map((at) => this.#long(at));
    if (type === 8) proto.strings = this.#entries(table, attributes.strings, 4).map((at) => reader.text(at));
    if (type === 9) proto.tensors = this.#tables(table, attributes.tensors).map((entry) => this.#tensor(entry));
    if (type === 10) proto.graphs = this.#tables(table, attributes.graphs).map((each) => this.#graph(each, depth + 1));
    if (type < 1 || type > 10) throw new RangeError(`an attribute has the unknown type ${type}`);
    return proto;
  }

  #tensor(table: number): TensorProto {
    const reader = this.#reader;
    const external = reader.optional(table, tensors.externalOffset);
    if (external !== undefined && reader.i64(external) >= 0n) throw new RangeError('it keeps tensors in another file');
    const dataType = reader.optional(table, tensors.dataType);
    const raw = reader.optional(table, tensors.raw);
    const texts = this.#entries(table, tensors.texts, 4).map((at) => reader.text(at));
    return {
      name: this.#text(table, tensors.name),
      dims: this.#entries(table, tensors.dims, 8).map((at) => this.#long(at)),
      dataType: dataType === undefined ? 0 : reader.i32(dataType),
      ...(texts.length > 0 ? { stringData: texts } : {}),
      ...(raw === undefined ? {} : { rawData: reader.text(raw) }),
    };
  }

  #value(table: number): ValueInfoProto {
    const type = this.#child(table, values.type);
    const told = type === undefined ? undefined : this.#type(type);
    return { name: this.#text(table, values.name), ...(told === undefined ? {} : { type: told }) };
  }

  /** Of tensors; what else there is stays untyped, as it may in an .onnx. */
  #type(table: number): TypeProto | undefined {
    const reader = this.#reader;
    const kind = reader.optional(table, types.kind);
    const value = this.#child(table, types.value);
    if (kind === undefined || reader.u8(kind) !== 1 || value === undefined) return undefined;
    const elemType = reader.optional(value, tensorType.elemType);
    const shape = this.#child(value, tensorType.shape);
    const dims = shape === undefined ? undefined : this.#tables(shape, 0).map((entry) => this.#dimension(entry));
    return {
      tensorType: {
        elemType: elemType === undefined ? 0 : reader.i32(elemType),
        ...(dims === undefined ? {} : { shape: { dim: dims } }),
      },
    };
  }

  #dimension(table: number): DimensionProto {
    const reader = this.#reader;
    const value = this.#child(table, 0);
    const kind = value === undefined ? undefined : reader.optional(value, dimension.kind);
    if (value === undefined || kind === undefined) return {};
    if (reader.i8(kind) === 2) return { dimParam: this.#text(value, dimension.name) };
    const size = reader.optional(value, dimension.value);
    return reader.i8(kind) === 1 ? { dimValue: size === undefined ? toLong(0n) : this.#long(size) } : {};
  }

  #child(table: number, field: number): number | undefined {
    const at = this.#reader.optional(table, field);
    return at === undefined ? undefined : this.#reader.follow(at);
  }

  #tables(table: number, field: number): number[] {
    return this.#entries(table, field, 4).map((at) => this.#reader.follow(at));
  }

  #entries(table: number, field: number, sizeBytes: number): number[] {
    const at = this.#reader.optional(table, field);
    if (at === undefined) return [];
    const found = this.#reader.entries(at, sizeBytes);
    this.#charge(found.length);
    return found;
  }

  #texts(table: number, field: number): string[] {
    return this.#entries(table, field, 4).map((at) => this.#decode(this.#reader.text(at)));
  }

  #text(table: number, field: number): string {
    const at = this.#reader.optional(table, field);
    return at === undefined ? '' : this.#decode(this.#reader.text(at));
  }

  #decode(bytes: Uint8Array): string {
    this.#charge(1 + bytes.length / 16);
    try {
      return utf8.decode(bytes);
    } catch {
      throw new RangeError('a name is not UTF-8');
    }
  }

  #long(at: number): NonNullable<ModelProto['irVersion']> {
    return toLong(this.#reader.i64(at));
  }

  #charge(parts: number): void {
    this.#partsLeft -= parts;
    if (this.#partsLeft < 0) {
      throw new EdgepackError('model-too-large', 'holds more parts than a file of its size should', {
        hint: 'the file is damaged, or made to exhaust the memory of whoever reads it',
      });
    }
  }
}

interface OrderedNode {
  readonly proto: NodeProto;
  /** With what the graphs inside it read from outside. */
  readonly reads: readonly string[];
}

/** The engine stores nodes by number, and what it fused has the last ones: sorted so that each comes after what it reads. */
function inRunningOrder(stored: readonly OrderedNode[]): NodeProto[] {
  const makers = new Map(stored.flatMap((node) => node.proto.output!.map((name) => [name, node] as const)));
  const waiting = new Map<OrderedNode, number>();
  const readers = new Map<OrderedNode, OrderedNode[]>();
  for (const node of stored) {
    const before = new Set(node.reads.flatMap((name) => (name === '' ? [] : (makers.get(name) ?? []))));
    waiting.set(node, before.size);
    for (const maker of before) {
      const list = readers.get(maker);
      if (list === undefined) readers.set(maker, [node]);
      else list.push(node);
    }
  }
  const ready = stored.filter((node) => waiting.get(node) === 0);
  for (const node of ready) {
    for (const reader of readers.get(node) ?? []) {
      const left = waiting.get(reader)! - 1;
      waiting.set(reader, left);
      if (left === 0) ready.push(reader);
    }
  }
  if (ready.length < stored.length) throw new RangeError('nodes wait for each other');
  return ready.map(({ proto }) => proto);
}

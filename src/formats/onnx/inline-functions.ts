import type { Model } from '../../ir/model.ts';
import { copyModel } from './clone-model.ts';
import { copyOf, setList } from './copy-message.ts';
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, ValueInfoProto } from './proto.ts';
import { longToInt } from './tensor-data.ts';

/** Calls repeat what functions hold: more nodes and bytes than these are left to the engine. */
const MAX_NODES = 10_000;
const MAX_REPEATED_BYTES = 2 ** 26;
const MAX_NAME_LENGTH = 1000;

/** What names inside a body mean in the model: those of the graph at hand, then those of the graphs around it. */
class Renaming {
  readonly #names = new Map<string, string>();
  readonly #parent: Renaming | undefined;

  constructor(parent?: Renaming) {
    this.#parent = parent;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  set(name: string, meant: string): void {
    this.#names.set(name, meant);
  }

  of(name: string): string {
    return this.#names.get(name) ?? this.#parent?.of(name) ?? name;
  }
}

/**
 * The model with the bodies of its functions in place of the calls, as engines run it: what is optimised and quantized is what
 * stands in graphs. The same model where it has no functions, where a function was written for another version of an operator
 * set than the model imports, and where the calls repeat too much.
 */
export function inlineFunctions(model: Model): Model {
  if (model.functions.length === 0) return model;
  let isInlined = false;
  const inlined = copyModel(model, (proto) => {
    isInlined = new Inliner(proto).run();
  });
  return isInlined ? inlined : model;
}

class Inliner {
  readonly #proto: ModelProto;
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  readonly #names = new Set<string>();
  readonly #called = new Set<FunctionProto>();
  #nodes = 0;
  #shortNames = 0;
  #repeatedBytes = 0;

  constructor(proto: ModelProto) {
    this.#proto = proto;
    this.#functions = new Map((proto.functions ?? []).map((fn) => [keyOf(fn.domain, fn.name, fn.overload), fn]));
  }

  /** Edits the message. Returns false, changing nothing, where the calls cannot be replaced. */
  run(): boolean {
    const proto = this.#proto;
    const versions = new Map((proto.opsetImport ?? []).map((opset) => [domainOf(opset.domain), opset]));
    for (const fn of this.#functions.values()) {
      for (const opset of fn.opsetImport ?? []) {
        const known = versions.get(domainOf(opset.domain));
        if (known === undefined) versions.set(domainOf(opset.domain), opset);
        else if (versionOf(known) !== versionOf(opset)) return false;
      }
    }
    const graph = copyOf(proto.graph);
    this.#collectNames(graph);
    setList(graph, 'node', this.#expand(graph.node ?? []));
    if (this.#isTooMuch()) return false;
    proto.graph = graph;
    delete proto.functions;
    const defined = new Set([...this.#functions.values()].map(({ domain }) => domainOf(domain)));
    const used = new Set<string>();
    for (const node of allNodes(graph)) used.add(domainOf(node.domain));
    const imports = [...versions].filter(([domain]) => used.has(domain) || !defined.has(domain));
    setList(
      proto,
      'opsetImport',
      imports.map(([, opset]) => opset),
    );
    return true;
  }

  #isTooMuch(): boolean {
    return this.#nodes > MAX_NODES || this.#repeatedBytes > MAX_REPEATED_BYTES;
  }

  #expand(nodes: readonly NodeProto[]): NodeProto[] {
    return nodes.flatMap((node) => {
      // What was begun is thrown away then.
      if (this.#isTooMuch()) return [];
      this.#nodes++;
      const callee = this.#functions.get(keyOf(node.domain, node.opType, node.overload));
      if (callee !== undefined) return this.#expand(this.#bodyOf(node, callee));
      if (!node.attribute?.some((attribute) => attribute.g !== undefined || attribute.graphs !== undefined))
        return [node];
      const expandGraph = (graph: GraphProto) => {
        const copy = copyOf(graph);
        setList(copy, 'node', this.#expand(graph.node ?? []));
        return copy;
      };
      return [Object.assign(copyOf(node), { attribute: node.attribute.map((one) => withGraphs(one, expandGraph)) })];
    });
  }

  #bodyOf(call: NodeProto, fn: FunctionProto): NodeProto[] {
    if (this.#called.has(fn)) this.#repeatedBytes += bytesIn(fn.node ?? []);
    this.#called.add(fn);
    const prefix = call.name || call.output?.find((name) => name !== '') || fn.name || 'function';
    const renaming = new Renaming();
    for (const [i, name] of (fn.input ?? []).entries()) renaming.set(name, call.input?.[i] ?? '');
    const passedOn: NodeProto[] = [];
    for (const [i, name] of (fn.output ?? []).entries()) {
      const meant = call.output?.[i] || this.#fresh(prefix, name);
      // A function may hand an input on, or one value twice: that takes a node.
      if (!renaming.has(name)) renaming.set(name, meant);
      else if (renaming.of(name) !== '') {
        const identity = { opType: 'Identity', input: [renaming.of(name)], output: [meant] };
        passedOn.push({ ...identity, name: this.#fresh(prefix, 'Identity') });
      }
    }
    const given = new Map<string, AttributeProto>();
    const { attributeProto = [] } = fn as { attributeProto?: AttributeProto[] };
    for (const attribute of [...attributeProto, ...(call.attribute ?? [])]) given.set(attribute.name ?? '', attribute);
    return [...this.#renamed(fn.node ?? [], renaming, prefix, given), ...passedOn];
  }

  #renamed(
    nodes: readonly NodeProto[],
    renaming: Renaming,
    prefix: string,
    given: ReadonlyMap<string, AttributeProto>,
  ): NodeProto[] {
    for (const { output = [] } of nodes) {
      for (const name of output) if (name !== '' && !renaming.has(name)) renaming.set(name, this.#fresh(prefix, name));
    }
    return nodes.map((node) => {
      const copy = copyOf(node);
      copy.name = this.#fresh(prefix, node.name || (node.opType ?? ''));
      for (const side of ['input', 'output'] as const) {
        const names = node[side];
        if (names !== undefined) copy[side] = names.map((name) => (name === '' ? '' : renaming.of(name)));
      }
      const attributes = (node.attribute ?? []).flatMap((attribute): AttributeProto[] => {
        if (!attribute.refAttrName) {
          return [withGraphs(attribute, (graph) => this.#renamedGraph(graph, renaming, prefix, given))];
        }
        const meant = given.get(attribute.refAttrName);
        // One that the call leaves out has no value here either: the operator's default holds.
        return meant === undefined ? [] : [Object.assign(copyOf(meant), { name: attribute.name })];
      });
      setList(copy, 'attribute', attributes);
      return copy;
    });
  }

  #renamedGraph(
    graph: GraphProto,
    around: Renaming,
    prefix: string,
    given: ReadonlyMap<string, AttributeProto>,
  ): GraphProto {
    const copy = copyOf(graph);
    const renaming = new Renaming(around);
    const define = (name: string | undefined) => {
      if (name !== undefined && name !== '' && !renaming.has(name)) renaming.set(name, this.#fresh(prefix, name));
    };
    for (const { name } of graph.input ?? []) define(name);
    for (const { name } of graph.initializer ?? []) define(name);
    for (const { values } of graph.sparseInitializer ?? []) define(values?.name);
    setList(copy, 'node', this.#renamed(graph.node ?? [], renaming, prefix, given));
    const named = <T extends { name?: string }>(message: T): T =>
      Object.assign(copyOf(message), { name: renaming.of(message.name ?? '') });
    for (const list of ['input', 'output', 'valueInfo'] as const) {
      setList(
        copy,
        list,
        (graph[list] ?? []).map((info: ValueInfoProto) => named(info)),
      );
    }
    setList(copy, 'initializer', (graph.initializer ?? []).map(named));
    const sparse = (graph.sparseInitializer ?? []).map((one) =>
      one.values === undefined ? one : Object.assign(copyOf(one), { values: named(one.values) }),
    );
    setList(copy, 'sparseInitializer', sparse);
    return copy;
  }

  #collectNames(graph: GraphProto): void {
    for (const { name } of [...(graph.input ?? []), ...(graph.initializer ?? [])]) this.#names.add(name ?? '');
    for (const { values } of graph.sparseInitializer ?? []) this.#names.add(values?.name ?? '');
    for (const node of graph.node ?? []) {
      this.#names.add(node.name ?? '');
      for (const name of node.output ?? []) this.#names.add(name);
      for (const inner of graphsOf(node)) this.#collectNames(inner);
    }
  }

  /** A name that nothing in the model has. */
  #fresh(prefix: string, base: string): string {
    // Calls inside calls would make names longer and longer.
    const stem = prefix.length + base.length > MAX_NAME_LENGTH ? 'inlined' : `${prefix}/${base}`;
    let name = stem;
    for (let i = stem === 'inlined' ? ++this.#shortNames : 1; this.#names.has(name); i++) name = `${stem}_${i}`;
    this.#names.add(name);
    return name;
  }
}

function withGraphs(attribute: AttributeProto, change: (graph: GraphProto) => GraphProto): AttributeProto {
  if (attribute.g === undefined && attribute.graphs === undefined) return attribute;
  const copy = copyOf(attribute);
  if (attribute.g !== undefined) copy.g = change(attribute.g);
  if (attribute.graphs !== undefined) copy.graphs = attribute.graphs.map(change);
  return copy;
}

function graphsOf(node: NodeProto): GraphProto[] {
  return (node.attribute ?? []).flatMap(({ g, graphs }) => [...(g === undefined ? [] : [g]), ...(graphs ?? [])]);
}

/** Bytes of the tensors in the attributes and graphs of nodes. */
function bytesIn(nodes: readonly NodeProto[]): number {
  let bytes = 0;
  const add = (tensor: object | undefined) => {
    for (const field of Object.values(tensor ?? {})) if (field instanceof Uint8Array) bytes += field.byteLength;
  };
  for (const node of nodes) {
    for (const { t, tensors } of node.attribute ?? []) for (const tensor of [t, ...(tensors ?? [])]) add(tensor);
    for (const graph of graphsOf(node)) {
      for (const tensor of graph.initializer ?? []) add(tensor);
      bytes += bytesIn(graph.node ?? []);
    }
  }
  return bytes;
}

function* allNodes(graph: GraphProto): Generator<NodeProto, void, undefined> {
  for (const node of graph.node ?? []) {
    yield node;
    for (const inner of graphsOf(node)) yield* allNodes(inner);
  }
}

function domainOf(domain: string | undefined): string {
  return domain === 'ai.onnx' ? '' : (domain ?? '');
}

function versionOf({ version }: { readonly version?: Parameters<typeof longToInt>[0] }): number {
  return version === undefined ? 0 : Number(longToInt(version));
}

function keyOf(domain: string | undefined, name: string | undefined, overload: string | undefined): string {
  return JSON.stringify([domainOf(domain), name ?? '', overload ?? '']);
}

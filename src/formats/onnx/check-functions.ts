import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { Model } from '../../ir/model.ts';
import { verify } from '../../ir/verify.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { GraphImporter } from './import-graph.ts';
import { importTensor } from './import-tensor.ts';
import type { AttributeProto, FunctionProto, ModelProto, NodeProto, TensorProto } from './proto.ts';

/** An engine replaces calls by the functions' nodes: that many nodes a model may become, and that deep calls may go. */
const MAX_EXPANDED_NODES = 100_000;
const MAX_CALL_DEPTH = 100;

interface Expansion {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  state: 'new' | 'open' | 'done';
  expandedNodes: number;
}

/**
 * Checks the functions that a model defines: each defined once, with a body that is a sound graph, none calling itself
 * directly or through others, and no explosion of nodes when an engine puts their bodies in place of the calls.
 * @throws EdgepackError `model-invalid` or `model-too-large`, naming the function.
 */
export function checkFunctions(proto: ModelProto): void {
  if (proto.functions === undefined || proto.functions.length === 0) return;
  const functions = new Map<string, Expansion>();
  for (const fn of proto.functions) {
    const key = keyOf(fn.domain, fn.name, fn.overload);
    const name = printable(`${fn.domain ?? ''}.${fn.name ?? ''}`);
    if (functions.has(key)) throw invalid(`defines the function '${name}' twice`);
    // Readers disagree on whether such a function or the operator of its name is meant.
    if (/^(ai\.onnx)?$/.test(fn.domain ?? '')) throw invalid(`defines the function '${name}' in the standard domain`);
    functions.set(key, { name, nodes: fn.node ?? [], state: 'new', expandedNodes: 0 });
    checkBody(fn, name);
  }

  const expand = (expansion: Expansion, depth: number): number => {
    if (expansion.state === 'done') return expansion.expandedNodes;
    if (expansion.state === 'open') throw invalid(`the function '${expansion.name}' calls itself`);
    if (depth > MAX_CALL_DEPTH) throw tooLarge(`calls functions more than ${MAX_CALL_DEPTH} levels deep`);
    expansion.state = 'open';
    for (const node of allNodes(expansion.nodes)) {
      const callee = functions.get(keyOf(node.domain, node.opType, node.overload));
      expansion.expandedNodes += callee === undefined ? 1 : expand(callee, depth + 1);
      if (expansion.expandedNodes > MAX_EXPANDED_NODES) {
        throw tooLarge(`the function calls of '${expansion.name}' stand for more than ${MAX_EXPANDED_NODES} nodes`);
      }
    }
    expansion.state = 'done';
    return expansion.expandedNodes;
  };
  expand({ name: 'the main graph', nodes: proto.graph?.node ?? [], state: 'new', expandedNodes: 0 }, 0);
  for (const expansion of functions.values()) expand(expansion, 1);
}

/** The body is held to what every graph is; it is read for that alone. */
function checkBody(fn: FunctionProto, name: string): void {
  const { node = [], input = [], output = [] } = fn;
  const proto = { node, input: input.map((text) => ({ name: text })), output: output.map((text) => ({ name: text })) };
  try {
    const body = new GraphImporter(importShape, true).graph(proto);
    verify(new Model(body, new Map(), 0), { anyOrder: true });
  } catch (error) {
    if (!(error instanceof EdgepackError)) throw error;
    throw new EdgepackError(error.code, `in the function '${name}': ${error.message}`, {
      location: error.location,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

/** A tensor whose external data is not looked for: that is done where all hidden tensors of a model are. */
function importShape(proto: TensorProto): Tensor {
  return importTensor(proto, () => ({ byteLength: 0, bytes: () => new Uint8Array(0) }));
}

function keyOf(domain: string | undefined, name: string | undefined, overload: string | undefined): string {
  return JSON.stringify([domain === 'ai.onnx' ? '' : (domain ?? ''), name ?? '', overload ?? '']);
}

/** The nodes of a list and of the subgraphs in their attributes. */
function* allNodes(nodes: readonly NodeProto[]): Generator<NodeProto, void, undefined> {
  const pending: (readonly NodeProto[])[] = [nodes];
  for (let list = pending.pop(); list !== undefined; list = pending.pop()) {
    for (const node of list) {
      yield node;
      for (const attribute of node.attribute ?? []) {
        for (const graph of graphsOf(attribute)) pending.push(graph.node ?? []);
      }
    }
  }
}

function graphsOf(attribute: AttributeProto) {
  return attribute.g === undefined ? (attribute.graphs ?? []) : [attribute.g, ...(attribute.graphs ?? [])];
}

function invalid(message: string): EdgepackError {
  return new EdgepackError('model-invalid', message, { hint: 'export the model again without functions' });
}

function tooLarge(message: string): EdgepackError {
  return new EdgepackError('model-too-large', message, { hint: 'check where the file comes from' });
}

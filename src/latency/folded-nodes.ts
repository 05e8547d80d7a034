import type { Graph } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import type { Value } from '../ir/value.ts';

/** Nodes that engines run as part of others. */
export interface FoldedNodes {
  /** Part of another node's layer. */
  readonly skipped: ReadonlySet<Node>;
  /** Activations written as several nodes, x·f(x), that read x once. */
  readonly merged: ReadonlySet<Node>;
  /** Of those, the ones that need exp. */
  readonly exponential: ReadonlySet<Node>;
}

const PRODUCTS: ReadonlySet<string> = new Set([
  'Conv',
  'ConvInteger',
  'ConvTranspose',
  'FusedConv',
  'Gemm',
  'MatMul',
  'MatMulInteger',
  'QGemm',
  'QLinearConv',
  'QLinearMatMul',
]);
/** What every engine computes while it stores the outputs of a product. */
const FUSED_AFTER_PRODUCT: ReadonlySet<string> = new Set(['BatchNormalization', 'Clip', 'LeakyRelu', 'PRelu', 'Relu']);
const TRANSPARENT: ReadonlySet<string> = new Set(['DequantizeLinear', 'Dropout', 'Identity', 'QuantizeLinear']);
const ARITHMETIC: ReadonlySet<string> = new Set(['Add', 'Div', 'Mul', 'Pow', 'Sub']);
const EXPONENTIAL: ReadonlySet<string> = new Set(['Erf', 'Exp', 'Sigmoid', 'Softplus', 'Tanh']);
const POINTWISE: ReadonlySet<string> = new Set([
  ...ARITHMETIC,
  ...EXPONENTIAL,
  'Abs',
  'Clip',
  'HardSigmoid',
  'LeakyRelu',
  'Neg',
  'Relu',
  'Sqrt',
]);
const LONGEST_CHAIN = 8;

/** Finds, in a graph and those inside it, what does not cost a pass over memory of its own. */
export function foldedNodes(graph: Graph): FoldedNodes {
  const skipped = new Set<Node>();
  const merged = new Set<Node>();
  const exponential = new Set<Node>();
  for (const each of graph.allGraphs()) {
    for (const node of each.nodes()) {
      const chain = activationChain(node);
      if (chain === undefined) continue;
      merged.add(node);
      for (const link of chain) skipped.add(link);
      if (chain.some((link) => EXPONENTIAL.has(link.opType))) exponential.add(node);
    }
    for (const node of each.nodes()) {
      if (skipped.has(node) || merged.has(node)) continue;
      const before = soleSource(node);
      if (before === undefined) continue;
      const afterProduct = PRODUCTS.has(before.opType) || skipped.has(before);
      const fused = FUSED_AFTER_PRODUCT.has(node.opType) || (ARITHMETIC.has(node.opType) && isUnary(node));
      const continues = isUnary(node) && (merged.has(before) || isUnary(before));
      if ((afterProduct && fused) || continues) skipped.add(node);
    }
  }
  return { skipped, merged, exponential };
}

/** The nodes of f where `node` multiplies x by f(x) and nobody else reads what lies between. */
function activationChain(node: Node): readonly Node[] | undefined {
  if (!node.is('Mul')) return undefined;
  const [left, right] = node.inputs.map((value) => (value === undefined ? undefined : source(value)));
  if (left === undefined || right === undefined || isConstant(left) || isConstant(right)) return undefined;
  return chainBetween(left, right, node) ?? chainBetween(right, left, node);
}

function chainBetween(from: Value, to: Value, end: Node): readonly Node[] | undefined {
  const chain: Node[] = [];
  let value = to;
  let reader = end;
  while (value !== from && chain.length < LONGEST_CHAIN) {
    const producer = value.producer;
    if (producer === undefined || !isUnary(producer) || readers(producer.output).some((other) => other !== reader)) {
      return undefined;
    }
    chain.push(producer);
    reader = producer;
    value = source(activationOf(producer)!);
  }
  return value === from && chain.length > 0 ? chain : undefined;
}

/** The node whose only reader this one is, through quantization. */
function soleSource(node: Node): Node | undefined {
  const first = activationOf(node);
  const producer = first === undefined ? undefined : source(first).producer;
  if (producer === undefined || producer.graph?.isOutput(producer.output)) return undefined;
  return readers(producer.output).length === 1 ? producer : undefined;
}

function isUnary(node: Node): boolean {
  return (
    (node.domain === '' || node.domain === 'ai.onnx') &&
    POINTWISE.has(node.opType) &&
    activationOf(node) !== undefined &&
    node.inputs.filter((v) => v !== undefined && !isConstant(v)).length === 1
  );
}

function activationOf(node: Node): Value | undefined {
  return node.inputs.find((value) => value !== undefined && !isConstant(value));
}

/** The value before quantize-dequantize pairs and other nodes that hand on what they get. */
function source(value: Value): Value {
  let current = value;
  while (current.producer !== undefined && TRANSPARENT.has(current.producer.opType)) {
    const before = current.producer.input(0);
    if (before === undefined) break;
    current = before;
  }
  return current;
}

/** Who reads a value, through quantization. */
function readers(value: Value): readonly Node[] {
  const found = new Set<Node>();
  const open = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const node of next.consumers) {
      if (TRANSPARENT.has(node.opType)) open.push(node.output);
      else found.add(node);
    }
  }
  return [...found];
}

function isConstant(value: Value): boolean {
  const origin = source(value);
  return origin.tensor !== undefined || origin.producer?.is('Constant') === true;
}

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
/** Nodes that hand on what they get, one after the other: more than a network has. */
const MOST_TRANSPARENT = 64;

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
    if (producer === undefined || !isUnary(producer) || soleReader(producer.output) !== reader) {
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
  return soleReader(producer.output) === undefined ? undefined : producer;
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
  for (let steps = 0; steps < MOST_TRANSPARENT; steps++) {
    if (current.producer === undefined || !TRANSPARENT.has(current.producer.opType)) break;
    const before = current.producer.input(0);
    if (before === undefined) break;
    current = before;
  }
  return current;
}

/** Who reads a value, through quantization, where nobody else does. */
function soleReader(value: Value): Node | undefined {
  let sole: Node | undefined;
  const values = new Set([value]);
  for (const each of values) {
    for (const node of each.consumers) {
      if (TRANSPARENT.has(node.opType)) values.add(node.output);
      else if (sole === undefined || sole === node) sole = node;
      else return undefined;
    }
    if (values.size > MOST_TRANSPARENT) return undefined;
  }
  return sole;
}

function isConstant(value: Value): boolean {
  const origin = source(value);
  return origin.tensor !== undefined || origin.producer?.is('Constant') === true;
}

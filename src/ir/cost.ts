import { bitsPerElement, DataType } from '../tensor/data-type.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from './graph.ts';
import type { Model } from './model.ts';
import type { Node } from './node.ts';
import { inferTypes, type TypeTable } from './shape-inference/infer-types.ts';
import type { Value } from './value.ts';

export interface CostOptions {
  /** Sizes of symbolic dimensions by name; a symbol that is not listed (the batch) counts as 1. */
  readonly symbols?: Readonly<Record<string, number>>;
}

/** What one run of a node takes. Unknown shapes count as nothing. */
export interface NodeCost {
  readonly node: Node;
  /** Multiply-accumulate operations of convolutions, matrix products and recurrences; 0 for other operators. */
  readonly macs: number;
  /** False where the operator is of a foreign domain, or multiplies and its shapes are not known: `macs` is 0 then. */
  readonly macsKnown: boolean;
  /** Elements of the constants that the node is the first to read; 64-bit integers (shapes, axes, indices) are none. */
  readonly parameters: number;
  /** Bytes of the constants that the node is the first to read, of whatever type. */
  readonly parameterBytes: number;
  /** Bytes of the node's outputs. */
  readonly activationBytes: number;
}

export interface TotalCost {
  readonly macs: number;
  readonly parameters: number;
  readonly parameterBytes: number;
  readonly activationBytes: number;
}

export interface ModelCost {
  /** Nodes of the main graph in order, each followed by those of its subgraphs, which count as run once. */
  readonly nodes: readonly NodeCost[];
  readonly total: TotalCost;
}

/**
 * Costs of a model per node and in total. A constant that several nodes read is counted with the first of them, so the
 * totals are those of the file. Constants that only graph outputs read are counted in the total alone.
 */
export function cost(model: Model, options: CostOptions = {}): ModelCost {
  const symbols = options.symbols ?? {};
  const types = inferTypes(model, { resolveSymbol: (name) => (Object.hasOwn(symbols, name) ? symbols[name] : 1) });
  const counted = new Set<Value>();
  const nodes: NodeCost[] = [];
  const total = { macs: 0, parameters: 0, parameterBytes: 0, activationBytes: 0 };
  const visit = (graph: Graph): void => {
    for (const node of graph.nodes()) {
      const macs = macsOf(node, types);
      const entry = {
        node,
        macs: macs ?? 0,
        macsKnown: macs !== undefined,
        ...parametersOf(node, counted),
        activationBytes: outputBytes(node, types),
      };
      nodes.push(entry);
      total.macs += entry.macs;
      total.activationBytes += entry.activationBytes;
      total.parameters += entry.parameters;
      total.parameterBytes += entry.parameterBytes;
      for (const subgraph of node.subgraphs()) visit(subgraph);
    }
    for (const value of graph.initializers) {
      if (counted.has(value) || value.tensor === undefined) continue;
      if (value.consumers.length > 0 && !graph.isOutput(value)) continue;
      counted.add(value);
      total.parameters += parameterCount(value.tensor);
      total.parameterBytes += value.tensor.byteLength;
    }
  };
  visit(model.graph);
  return { nodes, total };
}

function parametersOf(node: Node, counted: Set<Value>): { parameters: number; parameterBytes: number } {
  let parameters = 0;
  let parameterBytes = 0;
  for (const value of node.inputs) {
    if (value?.tensor === undefined || counted.has(value)) continue;
    counted.add(value);
    parameters += parameterCount(value.tensor);
    parameterBytes += value.tensor.byteLength;
  }
  const constant = node.is('Constant') ? node.tensor('value') : undefined;
  if (constant !== undefined) {
    parameters += parameterCount(constant);
    parameterBytes += constant.byteLength;
  }
  return { parameters, parameterBytes };
}

function parameterCount(tensor: Tensor): number {
  return tensor.dataType === DataType.int64 ? 0 : tensor.elementCount;
}

function outputBytes(node: Node, types: TypeTable): number {
  if (node.is('Constant')) return 0;
  let bytes = 0;
  for (const value of node.outputs) {
    const type = types.get(value);
    const dims = fixedDims(value, types);
    if (type !== undefined && dims !== undefined)
      bytes += Math.ceil((product(dims) * bitsPerElement(type.elemType)) / 8);
  }
  return bytes;
}

/** Dimensions of a value; a size that only a run can tell counts as 1. */
function fixedDims(value: Value | undefined, types: TypeTable): readonly number[] | undefined {
  if (value === undefined) return undefined;
  return types.get(value)?.shape?.map((dim) => (typeof dim === 'number' ? dim : 1));
}

function product(dims: readonly number[]): number {
  return dims.reduce((result, dim) => result * dim, 1);
}

type MacRule = (dims: (input: number) => readonly number[], output: readonly number[], node: Node) => number;

/** Output elements × weights per output channel. The weight is [out channels, in channels / group, ...kernel]. */
function convolution(weight: number): MacRule {
  return (dims, output) => product(output) * product(dims(weight).slice(1));
}

/** Every input element meets each weight of its channel: [in channels, out channels / group, ...kernel]. */
const convTranspose: MacRule = (dims) => product(dims(0)) * product(dims(1).slice(1));

/** Output elements × length of the inner axis. */
function matMul(a: number, transpose?: string): MacRule {
  return (dims, output, node) => {
    const left = dims(a);
    const inner = transpose !== undefined && node.int(transpose, 0) !== 0 ? left.at(-2) : left.at(-1);
    return product(output) * (inner ?? 1);
  };
}

/** Every gate of every step: input and recurrent weights, [directions, gates × hidden, width]. */
const recurrent: MacRule = (dims, _output, node) => {
  const batchFirst = node.int('layout', 0) !== 0;
  const [sequence = 1, batch = 1] = batchFirst ? [dims(0)[1], dims(0)[0]] : dims(0);
  return sequence * batch * (product(dims(1)) + product(dims(2)));
};

/** Scores and weighted sum of an attention over separate queries, keys and values (standard or multi-head form). */
const attention: MacRule = (dims) => {
  const [query, key, value] = [dims(0), dims(1), dims(2)];
  const keyLength = key.at(-2) ?? 1;
  // For 4-D operands the heads are an axis; for 3-D ones they are side by side in the width.
  const valueWidth =
    query.length === 4
      ? product(query.slice(0, 3)) * (value.at(-1) ?? 1)
      : product(query.slice(0, 2)) * (value.at(-1) ?? 1);
  return keyLength * (product(query) + valueWidth);
};

/** Attention with the three projections packed into one weight. */
const packedAttention: MacRule = (dims) => {
  const [batch = 1, sequence = 1, width = 1] = dims(0);
  const packed = dims(1)[1] ?? 0;
  const projections = batch * sequence * width * packed;
  return projections + batch * sequence * sequence * ((2 * packed) / 3);
};

/** Each output element sums over the letters that the output does not have, once per further operand. */
const einsum: MacRule = (dims, output, node) => {
  const [left = '', right = ''] = node.string('equation', '').replaceAll(' ', '').split('->');
  const terms = left.split(',');
  if (terms.length < 2 || left.includes('.')) return 0;
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    [...term].forEach((letter, axis) => {
      sizes.set(letter, Math.max(sizes.get(letter) ?? 1, dims(i)[axis] ?? 1));
    });
  });
  const summed = [...sizes].filter(([letter]) => !right.includes(letter)).map(([, size]) => size);
  return product(output) * product(summed) * (terms.length - 1);
};

const onnxRules: Readonly<Record<string, MacRule>> = {
  Conv: convolution(1),
  ConvInteger: convolution(1),
  QLinearConv: convolution(3),
  DeformConv: convolution(1),
  ConvTranspose: convTranspose,
  Gemm: matMul(0, 'transA'),
  MatMul: matMul(0),
  MatMulInteger: matMul(0),
  QLinearMatMul: matMul(0),
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
  Attention: attention,
  Einsum: einsum,
};

const microsoftRules: Readonly<Record<string, MacRule>> = {
  FusedConv: convolution(1),
  QLinearConv: convolution(3),
  FusedGemm: matMul(0, 'transA'),
  FusedMatMul: matMul(0, 'transA'),
  FusedMatMulActivation: matMul(0, 'transA'),
  TransposeMatMul: matMul(0, 'transA'),
  QGemm: matMul(0, 'transA'),
  MatMulIntegerToFloat: matMul(0),
  DynamicQuantizeMatMul: matMul(0),
  MatMulNBits: matMul(0),
  Attention: packedAttention,
  QAttention: packedAttention,
  MultiHeadAttention: attention,
};

/** Undefined where they are not known. */
function macsOf(node: Node, types: TypeTable): number | undefined {
  const rule = macRuleOf(node);
  if (rule === undefined) return KNOWN_DOMAINS.has(node.domain) ? 0 : undefined;
  const output = fixedDims(node.outputs[0], types);
  if (output === undefined) return undefined;
  let isKnown = true;
  const dims = (input: number): readonly number[] => {
    const known = fixedDims(node.input(input), types);
    if (known === undefined) isKnown = false;
    return known ?? [];
  };
  const macs = rule(dims, output, node);
  return isKnown && Number.isFinite(macs) ? macs : undefined;
}

/** Domains whose operators without a rule multiply nothing worth counting. */
const KNOWN_DOMAINS: ReadonlySet<string> = new Set([
  '',
  'ai.onnx',
  'ai.onnx.ml',
  'com.microsoft',
  'com.microsoft.nchwc',
]);

function macRuleOf(node: Node): MacRule | undefined {
  const { domain, opType } = node;
  const table =
    domain === '' || domain === 'ai.onnx'
      ? onnxRules
      : domain === 'com.microsoft'
        ? microsoftRules
        : domain === 'com.microsoft.nchwc' && opType === 'Conv'
          ? onnxRules
          : undefined;
  return table !== undefined && Object.hasOwn(table, opType) ? table[opType] : undefined;
}

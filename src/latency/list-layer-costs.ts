import { cost } from '../ir/cost.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import { inferTypes, type TypeTable } from '../ir/shape-inference/infer-types.ts';
import type { Value } from '../ir/value.ts';
import { DataType, isFloat } from '../tensor/data-type.ts';
import { type FoldedNodes, foldedNodes } from './folded-nodes.ts';
import type { LayerCost } from './layer-cost.ts';

export interface LayerCosts {
  readonly layers: readonly LayerCost[];
  /** Operators whose products could not be counted: no latency can be told without them. */
  readonly unknown: readonly string[];
}

export interface LayerCostOptions {
  /** Sizes of symbolic dimensions by name; a symbol that is not listed (the batch) counts as 1. */
  readonly symbols?: Readonly<Record<string, number>>;
}

/** Operators that an engine runs without touching a byte, and those that only compute shapes. */
const FREE: ReadonlySet<string> = new Set([
  'Constant',
  'ConstantOfShape',
  'Dropout',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
  'Flatten',
  'Identity',
  'QuantizeLinear',
  'Reshape',
  'Shape',
  'Size',
  'Squeeze',
  'Unsqueeze',
]);

const EXPONENTIAL: ReadonlySet<string> = new Set([
  'Celu',
  'Elu',
  'Erf',
  'Exp',
  'Gelu',
  'LogSoftmax',
  'Mish',
  'Selu',
  'Sigmoid',
  'Softmax',
  'Softplus',
  'Swish',
  'Tanh',
  'QuickGelu',
]);

/** Operators that put elements elsewhere and compute nothing with them, or little. */
const MOVES: ReadonlySet<string> = new Set([
  'CenterCropPad',
  'Compress',
  'Concat',
  'DepthToSpace',
  'Expand',
  'Gather',
  'GatherElements',
  'GatherND',
  'GridSample',
  'NonMaxSuppression',
  'NonZero',
  'Pad',
  'Resize',
  'ReverseSequence',
  'RoiAlign',
  'ScatterElements',
  'ScatterND',
  'Slice',
  'SpaceToDepth',
  'Split',
  'Tile',
  'TopK',
  'Transpose',
  'Unique',
  'Upsample',
]);

/** Where the weight of a product is. */
const WEIGHT_INPUT: Readonly<Record<string, number>> = { QLinearConv: 3, QLinearMatMul: 3, QGemm: 3 };
const CONVOLUTIONS = ['Conv', 'ConvInteger', 'QLinearConv', 'FusedConv', 'ConvTranspose', 'DeformConv'];
const PRODUCTS = [
  'Gemm',
  'MatMul',
  'MatMulInteger',
  'QLinearMatMul',
  'QGemm',
  'FusedGemm',
  'FusedMatMul',
  'MatMulIntegerToFloat',
  'MatMulNBits',
];

/**
 * The layers of a graph as an engine would run them: quantization is looked through, activations right after a product
 * are part of it, x·sigmoid(x) and its like are one layer, reshapes are free. Subgraphs count as run once.
 */
export function listLayerCosts(model: Model, options: LayerCostOptions = {}): LayerCosts {
  const symbols = options.symbols ?? {};
  const types = inferTypes(model, { resolveSymbol: (name) => (Object.hasOwn(symbols, name) ? symbols[name] : 1) });
  const folded = foldedNodes(model.graph);
  const facts: Facts = { types, folded, constants: constantsOf(model) };
  const layers: LayerCost[] = [];
  const unknown = new Set<string>();
  for (const { node, macs, macsKnown } of cost(model, options).nodes) {
    if (!macsKnown) unknown.add(node.domain === '' ? node.opType : `${node.domain}.${node.opType}`);
    else if (!FREE.has(node.opType) && !folded.skipped.has(node) && !isComputedAtLoad(node, facts)) {
      const layer = layerOf(node, macs, facts);
      if (layer !== undefined) layers.push(layer);
    }
  }
  return { layers, unknown: [...unknown] };
}

interface Facts {
  readonly types: TypeTable;
  readonly folded: FoldedNodes;
  readonly constants: ReadonlySet<Value>;
}

function layerOf(node: Node, macs: number, facts: Facts): LayerCost | undefined {
  const { types, folded, constants } = facts;
  const outputElements = node.outputs.reduce((sum, value) => sum + floatElements(value, types), 0);
  if (outputElements === 0) return undefined;
  const reads = node.inputs
    .filter((value) => value !== undefined && !constants.has(value))
    .map((value) => floatElements(value, types));
  const inputElements = folded.merged.has(node) ? Math.max(0, ...reads) : reads.reduce((sum, count) => sum + count, 0);
  const size = { macs, weights: 0, inputElements, outputElements };
  if (CONVOLUTIONS.includes(node.opType)) return convolution(node, size, types);
  if (PRODUCTS.includes(node.opType)) return product(node, size, facts);
  if (macs > 0) return { ...size, kind: 'conv1x1', weights: weightsOf(node, facts), unfamiliar: node.opType };
  const isExponential = folded.exponential.has(node) || EXPONENTIAL.has(node.opType);
  const kind = isExponential ? 'exponential' : MOVES.has(node.opType) ? 'move' : 'pointwise';
  return { ...size, kind, ...(node.subgraphs().length > 0 ? { unfamiliar: node.opType } : {}) };
}

type Size = Pick<LayerCost, 'macs' | 'weights' | 'inputElements' | 'outputElements'>;

function convolution(node: Node, size: Size, types: TypeTable): LayerCost {
  const input = dimsOf(node.input(0), types);
  const output = dimsOf(node.outputs[0], types);
  const weight = dimsOf(node.input(WEIGHT_INPUT[node.opType] ?? 1), types);
  const group = node.int('group', 1);
  const channelsIn = input[1] ?? 1;
  const channelsOut = output[1] ?? 1;
  const layer = {
    ...size,
    weights: elements(weight),
    inputChannels: channelsIn / group,
    outputChannels: channelsOut / group,
  };
  if (group > 1 && channelsIn === group) return { ...layer, kind: 'depthwise' };
  const kernel = weight.slice(2);
  const every = (name: string, value: number) => (node.ints(name) ?? []).every((entry) => entry === value);
  const transposed = node.opType === 'ConvTranspose';
  if (!transposed && kernel.every((entry) => entry === 1)) return { ...layer, kind: 'conv1x1' };
  const winograd = kernel.length === 2 && kernel.every((entry) => entry === 3);
  if (!transposed && winograd && every('strides', 1) && every('dilations', 1)) {
    return { ...layer, kind: 'conv3x3', height: output[2], width: output[3] };
  }
  return { ...layer, kind: 'conv-other' };
}

/** A product with a constant of one row is bound by reading the constant; of more rows it is a 1×1 convolution. */
function product(node: Node, size: Size, facts: Facts): LayerCost {
  const { types, constants } = facts;
  const weight = node.input(WEIGHT_INPUT[node.opType] ?? 1);
  if (weight === undefined || !constants.has(weight))
    return { ...size, kind: 'conv1x1', unfamiliar: 'products of activations' };
  const weights = weightsOf(node, facts);
  const rows = elements(dimsOf(node.outputs[0], types).slice(0, -1));
  if (rows === 1) return { ...size, kind: 'fully-connected', weights };
  return { ...size, kind: 'conv1x1', weights, unfamiliar: 'matrix products of many rows' };
}

function weightsOf(node: Node, { types, constants }: Facts): number {
  const weight = node.input(WEIGHT_INPUT[node.opType] ?? 1);
  return weight !== undefined && constants.has(weight) ? elements(dimsOf(weight, types)) : 0;
}

/** Operators that engines compute when they load the model, where all that they read is constant. */
const LOADED = ['DequantizeLinear', 'QuantizeLinear', 'Identity', 'Cast', 'Mul', 'Transpose'];

/** Initializers, and what operators make of them that read constants only. */
function constantsOf(model: Model): ReadonlySet<Value> {
  const constants = new Set<Value>();
  const isConstant = (value: Value | undefined) => value === undefined || constants.has(value);
  for (const graph of model.graph.allGraphs()) {
    for (const value of [...graph.inputs, ...graph.initializers]) if (value.tensor !== undefined) constants.add(value);
    for (const node of graph.nodes()) {
      const isLoaded = node.is('Constant') || (node.is(...LOADED) && node.inputs.every(isConstant));
      if (isLoaded) for (const value of node.outputs) constants.add(value);
    }
  }
  return constants;
}

/** What stored integers become real by: engines compute it when they load the model. */
function isComputedAtLoad(node: Node, { constants }: Facts): boolean {
  return node.is('Cast', 'Mul') && node.outputs.every((output) => constants.has(output));
}

/** Elements of a tensor of numbers; shapes, indices and masks are none. */
function floatElements(value: Value | undefined, types: TypeTable): number {
  const type = value === undefined ? undefined : types.get(value)?.elemType;
  if (type === undefined || !(isFloat(type) || type === DataType.int8 || type === DataType.uint8)) return 0;
  return elements(dimsOf(value, types));
}

/** Dimensions of a value; a size that only a run can tell counts as 1. */
function dimsOf(value: Value | undefined, types: TypeTable): readonly number[] {
  const shape = value === undefined ? undefined : types.get(value)?.shape;
  return (shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 1));
}

function elements(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

import type { Graph } from '../../ir/graph.ts';
import type { Model } from '../../ir/model.ts';
import type { Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import { nodeMatcher } from '../match-nodes.ts';
import { isFiniteTensor } from './is-finite-tensor.ts';

/** What a node does in the integer part of the graph. */
export type Role =
  /** Multiplies by constant weights: Conv, Gemm, MatMul. */
  | 'weighted'
  /** Computes on integers of its own: Add, Mul, Concat, average pools, Sigmoid, LeakyRelu, MatMul of two activations. */
  | 'arithmetic'
  /** Moves elements without changing them: runs on the integers themselves. */
  | 'movement'
  /** Looks rows up in a constant table, which is kept in integers. */
  | 'lookup';

export interface PlacementOptions {
  /** Names or patterns (with *) of nodes to leave in float. */
  readonly nodesToExclude?: readonly string[];
  /** Also put matrix products of two activations (attention) into integers. */
  readonly quantizeAttention?: boolean;
  /** Let the rounding of an unsigned range do the work of Relu and Clip (default true). */
  readonly absorbActivations?: boolean;
  /** See {@link QdqForm} (default `kernels`). */
  readonly form?: QdqForm;
  /** Operators to put into integers, of {@link quantizableOperators}; all by default. */
  readonly operators?: readonly string[];
}

/**
 * Where the pairs of QuantizeLinear and DequantizeLinear stand.
 * - `kernels`: as ONNX Runtime's CPU kernels take them: products of matrices give floats, movement runs on the integers.
 * - `units`: around every operator, movement included, as most accelerators recognise quantized operators.
 * - `inputs`: in front of multiplying operators only, as TensorRT is best fed; it decides about the rest itself.
 */
export type QdqForm = 'kernels' | 'units' | 'inputs';

/** Which nodes run in integers and which values are quantized for them. */
export interface Placement {
  readonly roles: ReadonlyMap<Node, Role>;
  /** Relu and Clip nodes that disappear into the rounding of the node before them. */
  readonly absorbed: ReadonlyMap<Node, Node>;
  /** Values that get a scale of their own, in graph order; movement outputs share that of their input. */
  readonly quantizedValues: readonly Value[];
  /** Multiplying nodes left in float, with the reason. */
  readonly keptFloat: ReadonlyMap<Node, string>;
}

/** Operators that move elements and compute nothing: they run on integers as they are. */
export const MOVEMENT = [
  'Slice',
  'Reshape',
  'Transpose',
  'MaxPool',
  'Pad',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Split',
  'Resize',
];
const ARITHMETIC = ['Add', 'Mul', 'Concat', 'AveragePool', 'GlobalAveragePool', 'LeakyRelu', 'Sigmoid'];
const WEIGHTED = ['Conv', 'Gemm', 'MatMul'];

/** Every operator that can be put into integers. */
export const quantizableOperators: readonly string[] = [...WEIGHTED, ...ARITHMETIC, ...MOVEMENT, 'Gather'];

/**
 * Decides where integers pay: every node with constant weights, the arithmetic between such nodes, and the movement of
 * elements around them. Only the main graph is looked at; nodes that are quantized already are left as they are.
 */
export function placeQuantization(model: Model, options: PlacementOptions = {}): Placement {
  const { graph } = model;
  const { form = 'kernels', operators = quantizableOperators } = options;
  const isExcluded = nodeMatcher(options.nodesToExclude ?? []);
  const keptFloat = new Map<Node, string>();
  const roles = new Map<Node, Role>();
  for (const node of graph.nodes()) {
    const multiplies = node.is('Conv', 'ConvTranspose', 'Gemm', 'MatMul');
    if (isExcluded(node)) {
      if (multiplies) keptFloat.set(node, 'excluded by name');
      continue;
    }
    if (multiplies && isQuantized(node)) continue;
    const obstacle = multiplies ? weightedObstacle(node) : undefined;
    if (obstacle === undefined && !operators.includes(node.opType)) {
      if (multiplies) keptFloat.set(node, `the execution provider runs no ${node.opType} in int8`);
      continue;
    }
    if (multiplies && obstacle === undefined) roles.set(node, 'weighted');
    else if (node.is('MatMul') && isFloatProduct(node)) {
      if (options.quantizeAttention) roles.set(node, 'arithmetic');
      else keptFloat.set(node, 'product of two activations');
    } else if (multiplies) keptFloat.set(node, obstacle!);
    else if (isLookup(node)) roles.set(node, 'lookup');
    else if (isArithmetic(node, form)) roles.set(node, 'arithmetic');
    else if (isMovement(node)) roles.set(node, 'movement');
  }
  const absorbed = options.absorbActivations === false ? new Map<Node, Node>() : findAbsorbed(graph, roles);
  prune(graph, roles, absorbed);
  for (const node of absorbed.keys()) if (!roles.has(absorbed.get(node)!)) absorbed.delete(node);
  return { roles, absorbed, quantizedValues: valuesToQuantize(graph, roles, absorbed, form), keptFloat };
}

/** The value that stands for a node's output once its activation is absorbed. */
export function effectiveOutput(node: Node, absorbed: ReadonlyMap<Node, Node>): Value {
  for (const consumer of node.output.consumers) if (absorbed.get(consumer) === node) return consumer.output;
  return node.output;
}

/** The inputs of a node that carry activations: those that need a scale. */
export function dataInputs(node: Node, role: Role): Value[] {
  if (role === 'arithmetic' && !node.is('AveragePool', 'GlobalAveragePool')) {
    return node.inputs.filter((value): value is Value => value !== undefined);
  }
  return node.inputs[0] === undefined ? [] : [node.inputs[0]];
}

/** True where both factors come out of integers: somebody has quantized the node before. */
function isQuantized(node: Node): boolean {
  return [0, 1].every((index) => node.input(index)?.producer?.is('DequantizeLinear') === true);
}

/** Why a multiplying node cannot run in integers with constant weights; undefined where it can. */
function weightedObstacle(node: Node): string | undefined {
  if (node.is('ConvTranspose')) return 'no integer kernel for ConvTranspose';
  const weights = node.input(1)?.tensor;
  if (weights === undefined) return 'weights are not constant';
  if (weights.dataType !== DataType.float32) return 'weights are not float32';
  if (node.input(0)?.tensor !== undefined) return 'its input is constant';
  const bias = node.input(2);
  for (const tensor of [weights, bias?.tensor]) {
    if (tensor !== undefined && !isFiniteTensor(tensor)) return 'its weights hold NaN or infinity';
  }
  if (node.is('MatMul')) return weights.dims.length === 2 ? undefined : 'weights are not a matrix';
  if (node.is('Gemm')) {
    const plain = node.float('alpha', 1) === 1 && node.float('beta', 1) === 1 && node.int('transA', 0) === 0;
    if (!plain) return 'scaled or transposed Gemm';
    const outputs = weights.dims[node.int('transB', 0) === 1 ? 0 : 1];
    if (bias !== undefined && (bias.tensor === undefined || bias.tensor.elementCount !== outputs)) {
      return 'bias is not one constant per output';
    }
    return undefined;
  }
  if (bias !== undefined && bias.tensor === undefined) return 'bias is not constant';
  return undefined;
}

/** Smallest table worth an extra node. */
const MIN_TABLE_ELEMENTS = 4096;

function isLookup(node: Node): boolean {
  const table = node.input(0)?.tensor;
  return (
    node.is('Gather') &&
    node.int('axis', 0) === 0 &&
    table?.dataType === DataType.float32 &&
    table.dims.length === 2 &&
    table.elementCount >= MIN_TABLE_ELEMENTS &&
    isFiniteTensor(table)
  );
}

function isFloatProduct(node: Node): boolean {
  return node.inputs.every((value) => value !== undefined && value.tensor === undefined);
}

function isArithmetic(node: Node, form: QdqForm): boolean {
  if (!node.is(...ARITHMETIC)) return false;
  if (node.is('Add', 'Mul')) {
    // The bias of a matrix product stays in float where that gives floats: rounding before it would cost accuracy for nothing.
    const [a, b] = node.inputs;
    const constant = a?.tensor ?? b?.tensor;
    if (constant !== undefined) {
      const other = a?.tensor === undefined ? a : b;
      const isBias = form !== 'units' && other?.producer?.is('MatMul') === true;
      return !isBias && constant.dataType === DataType.float32 && isFiniteTensor(constant);
    }
  }
  return true;
}

function isMovement(node: Node): boolean {
  if (!node.is(...MOVEMENT)) return false;
  if (node.input(0)?.tensor !== undefined) return false;
  if (node.is('MaxPool')) return node.outputs.length === 1 || node.outputs[1]!.name === '';
  if (node.is('Pad')) {
    const value = node.input(2);
    const zero = value === undefined || (value.tensor !== undefined && value.tensor.toFloat32()[0] === 0);
    return (
      node.string('mode', 'constant') === 'constant' &&
      zero &&
      (node.input(3) === undefined || node.input(3)!.name === '')
    );
  }
  if (node.is('Resize')) return node.string('mode', 'nearest') === 'nearest';
  return true;
}

/** Relu and Clip right behind a computing node: rounding to an unsigned range does the same. */
function findAbsorbed(graph: Graph, roles: ReadonlyMap<Node, Role>): Map<Node, Node> {
  const absorbed = new Map<Node, Node>();
  for (const node of graph.nodes()) {
    if (!node.is('Relu', 'Clip')) continue;
    const source = node.input(0)?.producer;
    if (source === undefined || source.graph !== graph) continue;
    const role = roles.get(source);
    if (role !== 'weighted' && role !== 'arithmetic') continue;
    if (source.output.useCount !== 1 || graph.isOutput(source.output)) continue;
    if (node.is('Clip') && !clipsAroundZero(node)) continue;
    absorbed.set(node, source);
  }
  return absorbed;
}

/** Ranges always hold zero, so a Clip is only implied where zero is within its bounds. */
function clipsAroundZero(node: Node): boolean {
  const bound = (index: number): number | undefined => {
    const value = node.input(index);
    if (value === undefined) return index === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return value.tensor?.toFloat32()[0];
  };
  const low = bound(1);
  const high = bound(2);
  return low !== undefined && high !== undefined && low <= 0 && high >= 0;
}

/** Drops arithmetic and movement that no integer node feeds or reads, until nothing changes. */
function prune(graph: Graph, roles: Map<Node, Role>, absorbed: ReadonlyMap<Node, Node>): void {
  const producerRole = (value: Value): Role | undefined => {
    const producer = value.producer;
    if (producer === undefined) return undefined;
    const role = roles.get(absorbed.get(producer) ?? producer);
    return role === 'lookup' ? undefined : role;
  };
  const isInteger = (node: Node) => roles.has(node) && roles.get(node) !== 'lookup';
  const readers = (node: Node): Node[] =>
    node.outputs.flatMap((output) => (output === node.output ? effectiveOutput(node, absorbed) : output).consumers);
  // What is dropped changes matters for its neighbours alone: chains of thousands of nodes are walked once.
  const open = new Set(graph.nodes());
  for (const node of open) {
    open.delete(node);
    const role = roles.get(node);
    if (role === undefined || role === 'weighted' || role === 'lookup') continue;
    const consumers = readers(node);
    const isRead = consumers.some((consumer) => isInteger(consumer));
    const isFed = dataInputs(node, role).every(
      (value) => value.tensor !== undefined || producerRole(value) !== undefined,
    );
    const allRead = consumers.length > 0 && consumers.every((consumer) => isInteger(consumer));
    const isOutput = node.outputs.some((output) => graph.isOutput(output));
    const isAttention = node.is('MatMul');
    if (isAttention || (isRead && (isFed || (role === 'movement' && allRead && !isOutput)))) continue;
    roles.delete(node);
    for (const consumer of consumers) open.add(consumer);
    for (const value of node.inputs) {
      const producer = value?.producer;
      if (producer !== undefined) open.add(absorbed.get(producer) ?? producer);
    }
  }
}

/** Values that need parameters: what integer nodes read, and what those that must round write. */
function valuesToQuantize(
  graph: Graph,
  roles: ReadonlyMap<Node, Role>,
  absorbed: ReadonlyMap<Node, Node>,
  form: QdqForm,
): Value[] {
  const values = new Set<Value>();
  const isMoved = (value: Value) => value.producer !== undefined && roles.get(value.producer) === 'movement';
  for (const node of graph.nodes()) {
    const role = roles.get(node);
    if (role === undefined || role === 'lookup') continue;
    for (const value of dataInputs(node, role)) if (!isMoved(value)) values.add(value);
    const givesFloats = form === 'inputs' || (form === 'kernels' && node.is('Gemm', 'MatMul'));
    if (role === 'movement' || givesFloats) continue;
    values.add(effectiveOutput(node, absorbed));
  }
  return [...values];
}

import { attr, type Node } from '../../ir/node.ts';
import { forEachCoordinate, stridesOf } from '../../ir/shape-inference/content.ts';
import type { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { type Pass, passResult } from '../pass.ts';
import { Rewriter } from './rewriter.ts';

/** Operators that treat all elements alike, wherever they are. */
const UNARY = [
  'Abs',
  'Cast',
  'Ceil',
  'Clip',
  'Elu',
  'Erf',
  'Exp',
  'Floor',
  'Gelu',
  'HardSigmoid',
  'HardSwish',
  'Identity',
  'LeakyRelu',
  'Log',
  'Mish',
  'Neg',
  'Reciprocal',
  'Relu',
  'Round',
  'Selu',
  'Sigmoid',
  'Sign',
  'Softplus',
  'Softsign',
  'Sqrt',
  'Tanh',
];
const BINARY = ['Add', 'Div', 'Max', 'Min', 'Mul', 'Pow', 'PRelu', 'Sub', 'Sum'];
const MAX_REGION_NODES = 64;

/**
 * Removes pairs of opposite transposes with elementwise operators and concatenations between them, as exporters of
 * channels-last models leave them: what is between works in the layout it came from.
 */
export function cancelTransposes(): Pass {
  return {
    name: 'cancel-transposes',
    run(model) {
      const rewriter = new Rewriter(model);
      // Before operator set 8 operands were matched by an attribute.
      if (model.opset < 8) return passResult([]);
      for (const node of model.graph.nodes())
        if (node.graph !== undefined && node.is('Transpose')) cancel(rewriter, node);
      return passResult(rewriter.changes);
    },
  };
}

interface Region {
  /** The elementwise nodes, last ones first. */
  readonly nodes: Set<Node>;
  /** Transposes that end the region beside the first one found. */
  readonly ends: Set<Node>;
}

function cancel(rewriter: Rewriter, end: Node): void {
  const back = end.ints('perm');
  const last = end.input(0)?.producer;
  if (back === undefined || last === undefined || rewriter.isOutput(end.output)) return;
  const there = inverse(back);
  if (there === undefined || there.every((axis, i) => axis === i)) return;
  const region = findRegion(rewriter, end, last, there, back);
  if (region === undefined) return;
  const { graph } = rewriter;
  for (const node of region.nodes) {
    node.inputs.forEach((value, i) => {
      if (value === undefined || (i > 0 && node.is(...UNARY))) return;
      const producer = value.producer;
      if (producer !== undefined && isTranspose(producer, there)) node.setInput(i, producer.input(0));
      else if (rewriter.isConstant(value)) moveConstant(rewriter, node, i, there);
    });
    if (node.is('Concat')) node.setAttribute(attr.int('axis', there[normalized(node.int('axis', 0), there.length)]!));
    // The stated type is that of the other layout.
    graph.valueInfo.delete(node.output);
    node.output.type = undefined;
  }
  for (const transpose of region.ends) rewriter.bypass(transpose, transpose.input(0)!, 'cancel-transposes');
}

/** All that is between the transpose and its opposites; undefined where something else reads or feeds it. */
function findRegion(
  rewriter: Rewriter,
  end: Node,
  last: Node,
  there: readonly number[],
  back: readonly number[],
): Region | undefined {
  const nodes = new Set<Node>();
  const ends = new Set<Node>([end]);
  const pending = [last];
  let opposites = 0;
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (nodes.has(node)) continue;
    if (node.graph !== rewriter.graph || !node.is(...UNARY, ...BINARY, 'Concat') || nodes.size >= MAX_REGION_NODES)
      return undefined;
    if (node.outputs.length !== 1 || rewriter.isOutput(node.output)) return undefined;
    nodes.add(node);
    for (const [i, value] of node.inputs.entries()) {
      if (value === undefined || (i > 0 && node.is(...UNARY))) continue;
      const producer = value.producer;
      if (rewriter.isConstant(value)) {
        if (node.is('Concat') || !canMove(rewriter, value, there)) return undefined;
      } else if (rewriter.rank(value) !== there.length || producer === undefined) return undefined;
      else if (isTranspose(producer, there)) opposites++;
      else pending.push(producer);
    }
    for (const consumer of node.output.consumers) {
      if (isTranspose(consumer, back) && !rewriter.isOutput(consumer.output)) ends.add(consumer);
      else pending.push(consumer);
    }
  }
  return opposites > 0 ? { nodes, ends } : undefined;
}

function isTranspose(node: Node, perm: readonly number[]): boolean {
  return node.is('Transpose') && node.ints('perm')?.join() === perm.join();
}

function inverse(perm: readonly number[]): number[] | undefined {
  const result = perm.map((_, axis) => perm.indexOf(axis));
  return result.includes(-1) ? undefined : result;
}

function normalized(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

function canMove(rewriter: Rewriter, value: Value, there: readonly number[]): boolean {
  const tensor = rewriter.constant(value);
  if (tensor === undefined || tensor.dims.length > there.length) return false;
  return tensor.elementCount === 1 || tensor.dataType === DataType.float32;
}

/** Gives the node its constant in the layout before the transpose: axis i there is axis `there[i]` here. */
function moveConstant(rewriter: Rewriter, node: Node, input: number, there: readonly number[]): void {
  const tensor = rewriter.constant(node.input(input))!;
  if (tensor.elementCount === 1) return;
  const source = [...new Array<number>(there.length - tensor.dims.length).fill(1), ...tensor.dims];
  const back = inverse(there)!;
  const dims = back.map((axis) => source[axis]!);
  const strides = stridesOf(source);
  const values = tensor.toFloat32();
  const moved: number[] = [];
  forEachCoordinate(dims, (coordinate) => {
    moved.push(values[coordinate.reduce((sum, c, i) => sum + c * strides[back[i]!]!, 0)]!);
  });
  rewriter.setConstant(node, input, Tensor.float32(tensor.name || `${node.output.name}_constant`, dims, moved));
}

import type { Graph } from './graph.ts';
import type { Node } from './node.ts';
import type { Value } from './value.ts';

/** One kernel of an engine: the node it stands for, and the tensors it reads and makes. Constants are not among them. */
export interface ExecutionStep {
  readonly node: Node;
  readonly reads: readonly Value[];
  readonly makes: readonly Value[];
  /** True where the kernel works on 8-bit integers although the file writes it between dequantizing and quantizing. */
  readonly isInteger: boolean;
}

/** Operators that ONNX Runtime runs on integers where all around them is quantized: as kernels of their own, or moving bytes. */
const INTEGER_OPERATORS = [
  'Add',
  'ArgMax',
  'AveragePool',
  'Concat',
  'Conv',
  'DepthToSpace',
  'Expand',
  'Flatten',
  'Gather',
  'Gemm',
  'GlobalAveragePool',
  'LeakyRelu',
  'MatMul',
  'MaxPool',
  'Mul',
  'Pad',
  'Reshape',
  'Resize',
  'Sigmoid',
  'Slice',
  'Softmax',
  'SpaceToDepth',
  'Split',
  'Squeeze',
  'Tile',
  'Transpose',
  'Unsqueeze',
  'Where',
] as const;
/** Of these, the ones that can also give floats. */
const INTEGERS_TO_FLOAT = ['Gemm', 'MatMul'] as const;
/** Inputs that are data; of the others only the first is, and the rest are shapes, axes and indices. */
const ALL_INPUTS_ARE_DATA = ['Add', 'Concat', 'Conv', 'Gemm', 'MatMul', 'Mul'] as const;
/** What rounding to the output's range does anyway. */
const ABSORBED_ACTIVATIONS = ['Clip', 'Relu'] as const;

/**
 * The kernels of a graph in the order of its nodes. Values that only constants decide are computed when the model is
 * loaded and are none. `x → DequantizeLinear → operator → QuantizeLinear → y` is one kernel from x to y.
 */
export function executionSteps(graph: Graph, isConstant: (value: Value) => boolean): ExecutionStep[] {
  const fused = new Map<Node, ExecutionStep>();
  const absorbed = new Set<Node>();
  const isOutput = outputTest(graph);
  for (const node of graph.nodes()) {
    const kernel = integerKernel(node, isOutput, isConstant);
    if (kernel === undefined) continue;
    fused.set(node, kernel.step);
    for (const each of kernel.absorbed) absorbed.add(each);
  }
  const steps: ExecutionStep[] = [];
  for (const node of graph.nodes()) {
    if (absorbed.has(node) || node.outputs.every(isConstant)) continue;
    const kernel = fused.get(node);
    if (kernel !== undefined) {
      steps.push(kernel);
      continue;
    }
    const isUnseen = node.is('DequantizeLinear') && node.output.consumers.every((reader) => fused.has(reader));
    if (isUnseen && !isOutput(node.output)) continue;
    steps.push({
      node,
      reads: readsOf(node, isConstant),
      makes: node.outputs.filter(({ name }) => name !== ''),
      isInteger: false,
    });
  }
  return steps;
}

/** For graphs with very many outputs. */
export function outputTest(graph: Graph): (value: Value) => boolean {
  const outputs = new Set(graph.outputs);
  return (value) => outputs.has(value);
}

/** Each value once, those that graphs inside the node take from around it included. */
function readsOf(node: Node, isConstant: (value: Value) => boolean): Value[] {
  const found = new Set<Value>();
  const visit = (each: Node, isInside: (value: Value) => boolean) => {
    for (const value of each.inputs) {
      if (value !== undefined && !isConstant(value) && !isInside(value)) found.add(value);
    }
    for (const subgraph of each.subgraphs()) {
      const made = new Set<Value>(subgraph.inputs);
      for (const inner of subgraph.nodes()) for (const value of inner.outputs) made.add(value);
      const isWithin = (value: Value) => made.has(value) || isInside(value);
      for (const inner of subgraph.nodes()) visit(inner, isWithin);
      for (const value of subgraph.outputs) if (!isConstant(value) && !isWithin(value)) found.add(value);
    }
  };
  visit(node, () => false);
  return [...found];
}

function integerKernel(
  node: Node,
  isOutput: (value: Value) => boolean,
  isConstant: (value: Value) => boolean,
): { step: ExecutionStep; absorbed: readonly Node[] } | undefined {
  if (!node.is(...INTEGER_OPERATORS) || node.outputs.every(isConstant)) return undefined;
  const data = node.is(...ALL_INPUTS_ARE_DATA) ? node.inputs : node.inputs.slice(0, 1);
  const reads = new Set<Value>();
  for (const value of data) {
    if (value === undefined) continue;
    if (isConstant(value)) {
      if (node.is('Conv', 'Gemm', 'MatMul') && value === node.input(1) && !isDequantized(value)) return undefined;
      continue;
    }
    const source = value.producer?.is('DequantizeLinear') === true ? value.producer.input(0) : undefined;
    if (source === undefined) return undefined;
    reads.add(source);
  }
  if (reads.size === 0) return undefined;
  for (const value of node.inputs.slice(data.length)) {
    if (value !== undefined && !isConstant(value)) reads.add(value);
  }
  const makes: Value[] = [];
  const absorbed: Node[] = [];
  for (const output of node.outputs) {
    if (output.name === '') continue;
    const end = quantizedEnd(output, isOutput);
    if (end === undefined) {
      if (!node.is(...INTEGERS_TO_FLOAT)) return undefined;
      makes.push(output);
    } else {
      makes.push(...end.makes);
      absorbed.push(...end.absorbed);
    }
  }
  return { step: { node, reads: [...reads], makes, isInteger: true }, absorbed };
}

/** The quantized values that an output becomes, where nobody sees it as it is, and the nodes in between. */
function quantizedEnd(
  output: Value,
  isOutput: (value: Value) => boolean,
): { makes: Value[]; absorbed: Node[] } | undefined {
  const absorbed: Node[] = [];
  for (let value = output; ; ) {
    const { consumers } = value;
    if (consumers.length === 0 || isOutput(value) || consumers.some((node) => node.graph !== output.producer?.graph))
      return undefined;
    if (consumers.every((node) => node.is('QuantizeLinear') && node.input(0) === value)) {
      return { makes: consumers.map((node) => node.output), absorbed: [...absorbed, ...consumers] };
    }
    const [reader] = consumers;
    if (consumers.length > 1 || !reader!.is(...ABSORBED_ACTIVATIONS) || reader!.input(0) !== value) return undefined;
    absorbed.push(reader!);
    value = reader!.output;
  }
}

/** Whether a constant is kept as integers, perhaps moved. */
export function isDequantized(value: Value): boolean {
  let current: Value | undefined = value;
  for (let step = 0; step < 8 && current?.producer !== undefined; step++) {
    if (current.producer.is('DequantizeLinear')) return true;
    if (!current.producer.is('Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity')) return false;
    current = current.producer.input(0);
  }
  return false;
}

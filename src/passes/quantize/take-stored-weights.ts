import type { Graph } from '../../ir/graph.ts';
import type { Model } from '../../ir/model.ts';
import type { Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { type Pass, type PassChange, passResult } from '../pass.ts';
import { storeLookup } from './quantize-lookup.ts';
import { addRealWeights, type IntegerWeights, realFormFor } from './real-weights.ts';
import { takeName } from './take-name.ts';

const WITH_WEIGHTS = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Gather'] as const;

/**
 * Gives the float nodes of a model the weights and biases that the same nodes have in its int8 form: stored as those
 * integers, computed in float. What is float in both stays as it is.
 *
 * @param int8 the same model after `insertQdq`: that neither adds nor removes nodes with weights.
 */
export function takeStoredWeights(int8: Model): Pass {
  return {
    name: 'take-stored-weights',
    run({ graph }) {
      const changes: PassChange[] = [];
      if (!hasSameLayers(graph, int8.graph)) throw new Error('the int8 model has other layers than the float model');
      const others = nodesWithWeights(int8.graph);
      for (const [i, node] of nodesWithWeights(graph).entries()) {
        if (!takeWeights(graph, node, others[i]!, `w${i}`)) continue;
        changes.push({ kind: 'execute-in-float', subject: node.name || node.output.name, detail: node.opType });
      }
      for (const value of graph.initializers) {
        if (value.useCount === 0 && !graph.isOutput(value)) graph.initializers.delete(value);
      }
      return passResult(changes);
    },
  };
}

/** Whether two graphs have the same kinds of nodes with weights in the same order. */
export function hasSameLayers(a: Graph, b: Graph): boolean {
  const [nodes, others] = [nodesWithWeights(a), nodesWithWeights(b)];
  return nodes.length === others.length && nodes.every((node, i) => node.opType === others[i]!.opType);
}

function nodesWithWeights(graph: Graph): Node[] {
  return [...graph.nodes()].filter((node) => node.is(...WITH_WEIGHTS));
}

function takeWeights(graph: Graph, node: Node, other: Node, prefix: string): boolean {
  if (node.is('Gather')) return takeTable(graph, node, other, prefix);
  const original = node.input(1);
  const stored = storedBehind(other.input(1));
  if (original?.tensor?.dataType !== DataType.float32 || stored === undefined) return false;
  const { real, integers } = addRealWeights(graph, node, stored, { prefix, form: realFormFor(node, stored.values) });
  node.setInput(1, real);
  takeName(graph, original, integers);
  takeBias(graph, node, other);
  if (node.is('MatMul')) takeAddedBias(graph, node, other);
  return true;
}

/** The int8 bias holds what rounding the weights does to the mean of the outputs: as real numbers it is as true in float. */
function takeBias(graph: Graph, node: Node, other: Node): void {
  const bias = other.input(2)?.producer;
  const integers = bias?.is('DequantizeLinear') === true ? bias.input(0)?.tensor : undefined;
  const scales = bias?.input(1)?.tensor?.toFloat32();
  if (integers?.dataType !== DataType.int32 || scales === undefined) return;
  const values = Float32Array.from(
    integers.toArray() as ArrayLike<number>,
    (value, c) => value * scales[scales.length === 1 ? 0 : c]!,
  );
  setConstant(graph, node, 2, Tensor.float32(integers.name, integers.dims, values));
}

/** The same of a matrix product, whose bias is added by the next node. */
function takeAddedBias(graph: Graph, node: Node, other: Node): void {
  const [add] = node.output.consumers;
  const [otherAdd] = other.output.consumers;
  if (add?.is('Add') !== true || otherAdd?.is('Add') !== true || node.output.useCount !== 1) return;
  const index = add.input(0) === node.output ? 1 : 0;
  const constant = add.input(index)?.tensor;
  const corrected = otherAdd.input(otherAdd.input(0) === other.output ? 1 : 0)?.tensor;
  if (constant?.dataType !== DataType.float32 || corrected?.dataType !== DataType.float32) return;
  if (constant.elementCount === corrected.elementCount) setConstant(graph, add, index, corrected);
}

function setConstant(graph: Graph, node: Node, index: number, tensor: Tensor): void {
  const before = node.input(index);
  const value = graph.addInitializer(tensor);
  node.setInput(index, value);
  takeName(graph, before, value);
}

function takeTable(graph: Graph, node: Node, other: Node, prefix: string): boolean {
  const values = other.input(0)?.tensor;
  const dequantizer = other.output.consumers.find((reader) => reader.is('DequantizeLinear'));
  const scales = dequantizer?.input(1)?.tensor?.toFloat32();
  const table = node.input(0)?.tensor;
  if (table?.dataType !== DataType.float32 || values?.dataType !== DataType.int8 || scales === undefined) return false;
  storeLookup(graph, node, { values, scales }, prefix);
  return true;
}

/** The constant int8 integers that a DequantizeLinear makes real, with one scale per index along its axis. */
export function storedBehind(value: Value | undefined): IntegerWeights | undefined {
  const dequantizer = value?.producer;
  if (dequantizer?.is('DequantizeLinear') !== true) return undefined;
  const values = dequantizer.input(0)?.tensor;
  const scale = dequantizer.input(1)?.tensor;
  if (values?.dataType !== DataType.int8 || scale?.dataType !== DataType.float32) return undefined;
  const stated = dequantizer.int('axis', 1);
  const axis = stated < 0 ? stated + values.dims.length : stated;
  const scales = scale.toFloat32();
  const zeroPoint = dequantizer.input(2);
  const isSymmetric = zeroPoint === undefined || zeroPoint.tensor?.bytes().every((byte) => byte === 0) === true;
  const isPerChannel = scales.length === 1 || scales.length === values.dims[axis];
  if (!isSymmetric || !isPerChannel || dequantizer.int('block_size', 0) > 0) return undefined;
  return { values, scales, axis };
}

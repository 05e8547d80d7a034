import { constantBehind } from '../evaluation/quantized-constant.ts';
import type { ModelCost } from '../ir/cost.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import { scaledIntegers } from '../ir/scaled-integers.ts';
import type { Value } from '../ir/value.ts';
import type { Inspection } from '../report/inspection-schema.ts';
import { dataTypeName, isFloat } from '../tensor/data-type.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type Layer = Inspection['layers'][number];

export interface ModelLayers {
  /** Nodes with weights, in the order of the graph, subgraphs after the node that holds them. */
  readonly layers: readonly (Layer & { readonly node: Node })[];
  /** Elements of all float constants and of quantized ones, without the scales and zero points that go with them. */
  readonly parameters: number;
}

/** Inputs with weights and biases of operators that take them as integers; the other inputs are scales and zero points. */
const integerOperators: Readonly<Record<string, readonly number[]>> = {
  QLinearConv: [3, 8],
  ConvInteger: [1],
  QLinearMatMul: [0, 3],
  MatMulInteger: [0, 1],
  QGemm: [3, 6],
  MatMulIntegerToFloat: [1, 6],
  DynamicQuantizeMatMul: [1, 4],
  QAttention: [1, 2],
  DynamicQuantizeLSTM: [1, 2, 3],
};

/** Operators that pass constants on to the layer that computes with them. */
const CARRIERS = [
  'Constant',
  'Identity',
  'QuantizeLinear',
  'DequantizeLinear',
  'Transpose',
  'Reshape',
  'Cast',
] as const;

/** The layers of a model with their weights: constants of more than one element, directly or through DequantizeLinear. */
export function listLayers(model: Model, costs: ModelCost): ModelLayers {
  const counted = new Set<Tensor>();
  const layers: (Layer & { node: Node })[] = [];
  for (const { node, macs, macsKnown } of costs.nodes) {
    if (node.is(...CARRIERS) || scaledIntegers(node) !== undefined) continue;
    const constants = weightsOf(node);
    if (!constants.some((tensor) => tensor.elementCount > 1)) continue;
    const largest = constants.reduce((a, b) => (b.elementCount > a.elementCount ? b : a));
    const own = constants.filter((tensor) => !counted.has(tensor));
    for (const tensor of own) counted.add(tensor);
    layers.push({
      node,
      name: node.name || (node.outputs[0]?.name ?? ''),
      opType: node.opType,
      parameters: own.reduce((sum, tensor) => sum + tensor.elementCount, 0),
      weightBytes: own.reduce((sum, tensor) => sum + tensor.byteLength, 0),
      dataType: dataTypeName(largest.dataType),
      macs: macsKnown ? macs : null,
    });
  }
  return { layers, parameters: countParameters(model, counted) };
}

/** What the layers have, and every other float constant that is no scale or zero point. */
function countParameters(model: Model, ofLayers: ReadonlySet<Tensor>): number {
  let parameters = 0;
  for (const tensor of ofLayers) parameters += tensor.elementCount;
  for (const graph of model.graph.allGraphs()) {
    for (const value of graph.initializers) {
      const { tensor } = value;
      if (tensor === undefined || ofLayers.has(tensor) || !isFloat(tensor.dataType)) continue;
      if (!isQuantizationParameter(value)) parameters += tensor.elementCount;
    }
    for (const node of graph.nodes()) {
      const tensor = node.is('Constant') ? node.tensor('value') : undefined;
      if (tensor === undefined || ofLayers.has(tensor) || !isFloat(tensor.dataType)) continue;
      if (!isQuantizationParameter(node.output)) parameters += tensor.elementCount;
    }
  }
  return parameters;
}

function isQuantizationParameter(value: Value): boolean {
  const { consumers } = value;
  return (
    consumers.length > 0 &&
    consumers.every((node) => {
      if (node.is('QuantizeLinear', 'DequantizeLinear')) return node.input(0) !== value;
      if (scaledIntegers(node) !== undefined) return node.input(1) === value;
      const weights = integerInputs(node);
      return weights?.every((index) => node.input(index) !== value) === true;
    })
  );
}

function integerInputs(node: Node): readonly number[] | undefined {
  if (!node.is(node.opType) && node.domain !== 'com.microsoft') return undefined;
  return Object.hasOwn(integerOperators, node.opType) ? integerOperators[node.opType] : undefined;
}

function weightsOf(node: Node): Tensor[] {
  const integers = integerInputs(node);
  const values = integers === undefined ? node.inputs : integers.map((index) => node.input(index));
  const tensors: Tensor[] = [];
  for (const value of values) {
    const direct = value === undefined ? undefined : constantThrough(value);
    if (direct !== undefined && (direct.isQuantized || integers !== undefined || isFloat(direct.tensor.dataType))) {
      tensors.push(direct.tensor);
    }
  }
  return tensors;
}

/** The constant behind a value, through what quantizes, dequantizes or only moves constants. */
function constantThrough(value: Value): { tensor: Tensor; isQuantized: boolean } | undefined {
  let current: Value | undefined = value;
  let quantized = false;
  for (let step = 0; step < 8 && current !== undefined; step++) {
    const tensor = constantBehind(current);
    if (tensor !== undefined) return { tensor, isQuantized: quantized };
    const producer: Node | undefined = current.producer;
    const isScaled = scaledIntegers(producer) !== undefined;
    if (producer === undefined || (!producer.is(...CARRIERS) && !isScaled)) return undefined;
    quantized ||= producer.is('DequantizeLinear') || isScaled;
    current = producer.input(0);
  }
  return undefined;
}

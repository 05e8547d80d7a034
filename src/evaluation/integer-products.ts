import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import type { TypeTable } from '../ir/shape-inference/infer-types.ts';
import type { Value } from '../ir/value.ts';
import { DataType } from '../tensor/data-type.ts';
import { constantBehind, quantizedConstant } from './quantized-constant.ts';

/** How the second operand of a product is stored. */
export interface WeightOperand {
  readonly dataType: typeof DataType.int8 | typeof DataType.uint8;
  /** The constant bytes with their dimensions; undefined where they are computed or too odd to follow. */
  readonly constant: { readonly dims: readonly number[]; readonly bytes: Uint8Array } | undefined;
  /** False where something between the constant and the product moves the elements. */
  readonly isInOrder: boolean;
  /** True where the rows of a matrix are the output channels (transB, or a transposition in between). */
  readonly isTransposed: boolean;
}

/** A convolution or matrix product that the engine computes on 8-bit integers. */
export interface IntegerProduct {
  readonly node: Node;
  readonly kind: 'convolution' | 'matrix';
  /** `qdq`: a float operator between DequantizeLinear nodes; `operator`: an integer operator of its own. */
  readonly form: 'qdq' | 'operator';
  readonly activationType: typeof DataType.int8 | typeof DataType.uint8;
  readonly weights: readonly WeightOperand[];
}

interface OperatorForm {
  readonly kind: IntegerProduct['kind'];
  /** Input with the activations; undefined where the operator quantizes them itself, to uint8. */
  readonly activation?: number;
  readonly weights: readonly number[];
}

const standardForms: Readonly<Record<string, OperatorForm>> = {
  QLinearConv: { kind: 'convolution', activation: 0, weights: [3] },
  ConvInteger: { kind: 'convolution', activation: 0, weights: [1] },
  QLinearMatMul: { kind: 'matrix', activation: 0, weights: [3] },
  MatMulInteger: { kind: 'matrix', activation: 0, weights: [1] },
};

const microsoftForms: Readonly<Record<string, OperatorForm>> = {
  QLinearConv: { kind: 'convolution', activation: 0, weights: [3] },
  QGemm: { kind: 'matrix', activation: 0, weights: [3] },
  MatMulIntegerToFloat: { kind: 'matrix', activation: 0, weights: [1] },
  DynamicQuantizeMatMul: { kind: 'matrix', weights: [1] },
  QAttention: { kind: 'matrix', activation: 0, weights: [1] },
  DynamicQuantizeLSTM: { kind: 'matrix', weights: [1, 2] },
};

/** The integer products of a model, subgraphs included, in graph order. `types` is what `inferTypes` says of the model. */
export function integerProducts(model: Model, types: TypeTable): IntegerProduct[] {
  const products: IntegerProduct[] = [];
  for (const graph of model.graph.allGraphs()) {
    for (const node of graph.nodes()) {
      const product = node.is('Conv', 'Gemm', 'MatMul') ? qdqProduct(node, types) : operatorProduct(node, types);
      if (product !== undefined) products.push(product);
    }
  }
  return products;
}

function qdqProduct(node: Node, types: TypeTable): IntegerProduct | undefined {
  const activation = dequantizedInput(node.input(0));
  const activationType = activation === undefined ? undefined : byteType(activation, types);
  const path = dequantizedOperand(node.input(1));
  if (activationType === undefined || path === undefined) return undefined;
  const weights = operandOf(path.value, types, { ...path, isTransposed: path.isTransposed !== isTransposedB(node) });
  if (weights === undefined) return undefined;
  const kind = node.is('Conv') ? 'convolution' : 'matrix';
  return { node, kind, form: 'qdq', activationType, weights: [weights] };
}

function operatorProduct(node: Node, types: TypeTable): IntegerProduct | undefined {
  const forms =
    node.domain === '' || node.domain === 'ai.onnx'
      ? standardForms
      : node.domain === 'com.microsoft'
        ? microsoftForms
        : {};
  const form = Object.hasOwn(forms, node.opType) ? forms[node.opType] : undefined;
  if (form === undefined) return undefined;
  const activation = form.activation === undefined ? undefined : node.input(form.activation);
  const weights = form.weights
    .map((index) => node.input(index))
    .filter((value): value is Value => value !== undefined)
    .map((value) => operandOf(value, types, { isInOrder: true, isTransposed: isTransposedB(node) }))
    .filter((operand): operand is WeightOperand => operand !== undefined);
  if (weights.length === 0) return undefined;
  // Of an unknown type is taken for uint8, the one that can saturate.
  const activationType = (activation === undefined ? undefined : byteType(activation, types)) ?? DataType.uint8;
  return { node, kind: form.kind, form: 'operator', activationType, weights };
}

function isTransposedB(node: Node): boolean {
  return (node.is('Gemm') || node.opType === 'QGemm') && node.int('transB', 0) !== 0;
}

function operandOf(
  value: Value,
  types: TypeTable,
  { isInOrder, isTransposed }: { isInOrder: boolean; isTransposed: boolean },
): WeightOperand | undefined {
  const constant = quantizedConstant(value);
  const dataType = constant?.dataType ?? byteType(value, types);
  if (dataType === undefined) return undefined;
  return { dataType, constant, isInOrder, isTransposed };
}

/** What a per-tensor or per-channel DequantizeLinear reads; blocks along an axis have no int8 kernel. */
function dequantizedInput(value: Value | undefined): Value | undefined {
  const producer = value?.producer;
  if (producer?.is('DequantizeLinear') !== true || producer.int('block_size', 0) > 0) return undefined;
  return producer.input(0);
}

/** As {@link dequantizedInput}, through what only moves constant weights. */
function dequantizedOperand(
  value: Value | undefined,
): { value: Value; isInOrder: boolean; isTransposed: boolean } | undefined {
  let isInOrder = true;
  let isTransposed = false;
  let current = value;
  for (let step = 0; step < 8 && current !== undefined; step++) {
    const source = dequantizedInput(current);
    if (source !== undefined) return { value: source, isInOrder, isTransposed };
    const producer: Node | undefined = current.producer;
    if (producer?.is('Transpose') === true) {
      if (isMatrixTransposition(producer)) isTransposed = !isTransposed;
      else isInOrder = false;
    } else if (producer?.is('Reshape', 'Squeeze', 'Unsqueeze', 'Flatten') === true) isInOrder = false;
    else if (producer?.is('Identity') !== true) return undefined;
    current = producer.input(0);
  }
  return undefined;
}

function isMatrixTransposition(node: Node): boolean {
  const permutation = node.ints('perm');
  if (permutation !== undefined) return permutation.length === 2 && permutation[0] === 1;
  const source = dequantizedInput(node.input(0));
  return source !== undefined && constantBehind(source)?.dims.length === 2;
}

function byteType(value: Value, types: TypeTable): WeightOperand['dataType'] | undefined {
  const elemType = types.get(value)?.elemType || value.elemType;
  return elemType === DataType.int8 || elemType === DataType.uint8 ? elemType : undefined;
}

import { constantBehind } from '../evaluation/quantized-constant.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import { inferTypes, type TypeTable } from '../ir/shape-inference/infer-types.ts';
import type { Value } from '../ir/value.ts';
import { placementOptions } from '../passes/quantize/insert-qdq-options.ts';
import { type Placement, placeQuantization } from '../passes/quantize/placement.ts';
import type { Inspection } from '../report/inspection-schema.ts';
import type { ProviderNode } from '../report/run-provider-schema.ts';
import type { ChosenProvider } from '../targets/choose-provider.ts';
import type { ProviderInt8 } from '../targets/provider-schema.ts';
import type { Target } from '../targets/target-schema.ts';
import { DataType } from '../tensor/data-type.ts';
import { insertionFor, runProvider } from './follow-provider.ts';

type ProviderInspection = NonNullable<Inspection['provider']>;

/** What a provider would run of a model, node by node, as far as its table tells. The model is as it would be quantized. */
export function inspectProvider(model: Model, chosen: ChosenProvider, target: Target): ProviderInspection {
  const types = inferTypes(model);
  const placement =
    chosen.int8 === null ? undefined : placeQuantization(model, placementOptions(insertionFor(chosen, target)));
  const nodes: ProviderNode[] = [];
  for (const graph of model.graph.allGraphs()) {
    for (const node of graph.nodes()) {
      if (!node.is('Constant')) nodes.push(describeNode(node, chosen, placement, types));
    }
  }
  return { ...runProvider(chosen, target), target: target.name, nodes };
}

function describeNode(
  node: Node,
  chosen: ChosenProvider,
  placement: Placement | undefined,
  types: TypeTable,
): ProviderNode {
  const { operators } = chosen.provider;
  const runsOn = takes(node, operators);
  return {
    name: node.name || (node.outputs[0]?.name ?? ''),
    domain: node.domain,
    opType: node.opType,
    runsOn,
    ...precisionOf(node, runsOn, chosen, placement, types),
  };
}

function takes(node: Node, operators: ChosenProvider['provider']['operators']): ProviderNode['runsOn'] {
  // Lists name standard operators; of others nothing is known.
  if (operators === null || !node.is(node.opType)) return 'unknown';
  return operators === 'all' || operators.includes(node.opType) ? 'provider' : 'cpu';
}

type Precision = Pick<ProviderNode, 'precision' | 'reason'>;

function precisionOf(
  node: Node,
  runsOn: ProviderNode['runsOn'],
  { int8, provider }: ChosenProvider,
  placement: Placement | undefined,
  types: TypeTable,
): Precision {
  const [output] = node.outputs;
  if (output !== undefined && isOther(output, types)) {
    return { precision: 'other', reason: null };
  }
  if (runsOn === 'cpu') return { precision: 'float', reason: `not among the operators of ${provider.displayName}` };
  if (int8 === null) return { precision: 'float', reason: null };
  if (node.is('QuantizeLinear', 'DequantizeLinear')) return { precision: 'int8', reason: null };
  if (placement?.roles.has(node) === true || placement?.absorbed.has(node) === true) {
    return { precision: 'int8', reason: null };
  }
  const kept = placement?.keptFloat.get(node);
  if (kept !== undefined) return { precision: 'float', reason: kept };
  const first = node.input(0);
  if (first?.producer?.is('DequantizeLinear') === true && int8.operators.includes(node.opType)) {
    return alreadyRounded(first, int8, provider.displayName);
  }
  return { precision: runsOn === 'unknown' ? 'unknown' : 'float', reason: null };
}

/** Whether int8 that is in the file already has the form that a provider runs. */
function alreadyRounded(value: Value, int8: ProviderInt8, provider: string): Precision {
  const zeroPoint = constantBehind(value.producer!.input(2));
  const type = zeroPoint === undefined ? undefined : zeroPoint.dataType === DataType.int8 ? 'int8' : 'uint8';
  const centre = type === 'int8' ? 0 : 128;
  const isCentred = zeroPoint?.toFloat32().every((element) => element === centre) === true;
  if (type === int8.activationType && (isCentred || !int8.activationSymmetric))
    return { precision: 'int8', reason: null };
  const wanted = `${int8.activationType}${int8.activationSymmetric ? ' around a fixed zero point' : ''}`;
  return {
    precision: 'unknown',
    reason: `its activations are ${type ?? 'of an unknown type'} in the file, ${provider} takes ${wanted}`,
  };
}

/** Values that are neither floats nor 8-bit numbers. */
function isOther(value: Value, types: TypeTable): boolean {
  const elemType = types.get(value)?.elemType || value.elemType;
  return (
    elemType === DataType.int64 ||
    elemType === DataType.int32 ||
    elemType === DataType.bool ||
    elemType === DataType.uint64 ||
    elemType === DataType.uint32 ||
    elemType === DataType.int16 ||
    elemType === DataType.uint16 ||
    elemType === DataType.string
  );
}

import type { Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { type ChannelLayout, channelLayout } from '../../quantization/quantize-weights.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Placement } from './placement.ts';

/** Constant weights that quantization stores as int8, with all nodes that read them. */
export interface StoredWeight {
  readonly value: Value;
  readonly tensor: Tensor;
  readonly nodes: readonly Node[];
  /** `lookup`: rows of a table, of which a run reads some; `weighted`: all are multiplied. */
  readonly role: 'weighted' | 'lookup';
  readonly layout: ChannelLayout;
}

/** The weights of a placement in graph order, each once. */
export function storedWeights(placement: Placement): StoredWeight[] {
  const found = new Map<Value, StoredWeight & { nodes: Node[] }>();
  for (const [node, role] of placement.roles) {
    if (role !== 'weighted' && role !== 'lookup') continue;
    const value = node.input(role === 'lookup' ? 0 : 1)!;
    const known = found.get(value);
    if (known !== undefined) {
      known.nodes.push(node);
      continue;
    }
    const tensor = value.tensor!;
    const axis = role === 'weighted' && (node.is('Conv') || node.int('transB', 0) === 1) ? 0 : 1;
    found.set(value, { value, tensor, nodes: [node], role, layout: channelLayout(tensor.dims, axis) });
  }
  return [...found.values()];
}

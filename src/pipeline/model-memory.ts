import type { Model } from '../ir/model.ts';
import { constantValues, peakMemory, weightMemory } from '../ir/peak-memory.ts';
import { inferTypes, type TypeTable } from '../ir/shape-inference/infer-types.ts';
import type { Value } from '../ir/value.ts';
import { openDimensions } from '../latency/describe-network.ts';
import type { MemoryDemand } from '../report/memory-schema.ts';
import { bitsPerElement, DataType } from '../tensor/data-type.ts';

/** Tensors that are listed. */
const MAX_LIVE = 20;

/** What the graph says of memory. @param symbols sizes of open dimensions by name; 1 for the others. */
export function modelMemory(model: Model, symbols: Readonly<Record<string, number>> = {}): MemoryDemand {
  const types = inferTypes(model, { resolveSymbol: (name) => (Object.hasOwn(symbols, name) ? symbols[name] : 1) });
  const constants = constantValues(model.graph);
  const weights = weightMemory(model.graph, types, constants);
  const peak = peakMemory(model.graph, types, constants);
  const known = 'missing' in peak ? undefined : peak;
  return {
    weightBytes: typeof weights === 'number' ? weights : null,
    peakActivationBytes: known?.peakBytes ?? null,
    peakNode:
      known?.node === undefined
        ? null
        : { name: known.node.name || (known.node.outputs[0]?.name ?? ''), opType: known.node.opType },
    live: (known?.live ?? [])
      .slice(0, MAX_LIVE)
      .map(({ value, sizeBytes }) => ({ name: describeTensor(value, types), sizeBytes })),
    liveCount: known?.live.length ?? 0,
    openDimensions: openDimensions(model, { symbols }),
    missing: 'missing' in peak ? peak.missing : typeof weights === 'number' ? null : weights.missing,
  };
}

/** Quantized tensors have names of this tool's or another one's own; that in the float model, or of the node, says more. */
function describeTensor(value: Value, types: TypeTable): string {
  const { producer, name } = value;
  if (producer?.is('QuantizeLinear')) return producer.input(0)?.name ?? name;
  const isQuantized = bitsPerElement(types.get(value)?.elemType ?? DataType.undefined) === 8;
  return (isQuantized && producer?.name) || name;
}

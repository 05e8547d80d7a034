import type { Model } from '../ir/model.ts';
import { scaledIntegers } from '../ir/scaled-integers.ts';
import type { Value } from '../ir/value.ts';
import type { SizedInitializer } from '../report/size-table.ts';
import { DataType, dataTypeName } from '../tensor/data-type.ts';

/** The initializers of a model's main graph with their sizes and layers, and for int8 weights the share of zeros. */
export function sizedInitializers(model: Model): SizedInitializer[] {
  return Array.from(model.graph.initializers, (value) => {
    const tensor = value.tensor!;
    const layer = layerOf(value);
    const sized = {
      name: value.name,
      dataType: dataTypeName(tensor.dataType),
      sizeBytes: tensor.byteLength,
      ...(layer === undefined ? {} : { layer }),
    };
    if (tensor.dataType !== DataType.int8 || tensor.elementCount === 0) return sized;
    let zeros = 0;
    const bytes = tensor.bytes();
    for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) zeros++;
    return { ...sized, sparsityRatio: zeros / tensor.elementCount };
  });
}

/** The name of the first node that computes with a constant: through what only quantizes or moves it. */
function layerOf(initializer: Value): string | undefined {
  let node = initializer.consumers[0];
  for (let step = 0; step < 8 && node !== undefined; step++) {
    const carries = node.is('QuantizeLinear', 'DequantizeLinear', 'Identity', 'Transpose', 'Reshape', 'Cast');
    if (!carries && scaledIntegers(node) === undefined) break;
    node = node.outputs[0]?.consumers[0] ?? undefined;
  }
  return node === undefined ? undefined : node.name || node.outputs[0]?.name;
}

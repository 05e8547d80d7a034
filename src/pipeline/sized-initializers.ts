import type { Model } from '../ir/model.ts';
import type { SizedInitializer } from '../report/size-table.ts';
import { DataType, dataTypeName } from '../tensor/data-type.ts';

/** The initializers of a model's main graph with their sizes, and for int8 weights the share of zeros. */
export function sizedInitializers(model: Model): SizedInitializer[] {
  return Array.from(model.graph.initializers, (value) => {
    const tensor = value.tensor!;
    const sized = { name: value.name, dataType: dataTypeName(tensor.dataType), sizeBytes: tensor.byteLength };
    if (tensor.dataType !== DataType.int8 || tensor.elementCount === 0) return sized;
    let zeros = 0;
    const bytes = tensor.bytes();
    for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) zeros++;
    return { ...sized, sparsityRatio: zeros / tensor.elementCount };
  });
}

import type { Model } from '../../ir/model.ts';
import type { TensorData } from '../../tensor/tensor.ts';
import { exportDims, exportModel } from './export-model.ts';
import { importModel } from './import-model.ts';
import { EXTERNAL, type TensorProto } from './proto.ts';
import { provenance } from './provenance.ts';

const contents = Symbol('contents');
type MarkedTensorProto = TensorProto & { [contents]?: TensorData };

/** A second model that can be edited on its own. Tensor contents are shared, not copied. */
export function cloneModel(model: Model): Model {
  // Every tensor is marked as stored elsewhere, and "elsewhere" is the original's own data.
  const proto = exportModel(model, (tensor) => {
    const marked: MarkedTensorProto = {
      ...provenance.tensor.get(tensor),
      name: tensor.name,
      dataType: tensor.dataType,
      dims: exportDims(tensor.dims),
      dataLocation: EXTERNAL,
      [contents]: tensor.data,
    };
    delete marked.rawData;
    return marked;
  });
  return importModel(proto, (tensor: MarkedTensorProto) => tensor[contents]!);
}

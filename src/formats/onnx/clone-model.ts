import type { Model } from '../../ir/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { exportModel } from './export-model.ts';
import { renamedTensor } from './export-tensor.ts';
import { importModel } from './import-model.ts';
import { importTensor } from './import-tensor.ts';
import type { ModelProto, TensorProto } from './proto.ts';

/** A second model that can be edited on its own. Tensors, which are immutable, are shared. */
export function cloneModel(model: Model): Model {
  return copyModel(model, () => {});
}

/** As {@link cloneModel}, with an edit of its message on the way; what parts of that share is not to be written to. */
export function copyModel(model: Model, edit: (proto: ModelProto) => void): Model {
  const tensors = new Map<TensorProto, Tensor>();
  const proto = exportModel(model, (tensor, name) => {
    const placeholder: TensorProto = { name };
    tensors.set(placeholder, tensor.name === name ? tensor : renamedTensor(tensor, name));
    return placeholder;
  });
  edit(proto);
  return importModel(proto, (tensor) => tensors.get(tensor) ?? importTensor(tensor, unreachable));
}

function unreachable(): never {
  throw new Error('a clone has no external data of its own');
}

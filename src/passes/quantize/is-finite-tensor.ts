import type { Tensor, TensorData } from '../../tensor/tensor.ts';

const remembered = new WeakMap<TensorData, boolean>();

/** False where a float32 tensor holds NaN or an infinity, which no integers stand for. Looked up once per tensor. */
export function isFiniteTensor(tensor: Tensor): boolean {
  let isFinite = remembered.get(tensor.data);
  if (isFinite === undefined) {
    isFinite = tensor.toFloat32().every(Number.isFinite);
    remembered.set(tensor.data, isFinite);
  }
  return isFinite;
}

import type { Tensor, TensorData } from '../../tensor/tensor.ts';

const remembered = new WeakMap<TensorData, boolean>();

/** False where a float32 tensor holds NaN or an infinity, which no integers stand for. Looked up once per tensor. */
export function isFiniteTensor(tensor: Tensor): boolean {
  let known = remembered.get(tensor.data);
  if (known === undefined) {
    known = allFinite(tensor.toFloat32());
    remembered.set(tensor.data, known);
  }
  return known;
}

function allFinite(values: Float32Array): boolean {
  // What is not finite makes a difference that is no zero, and stays in the sum.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! - values[i]!;
  return sum === 0;
}

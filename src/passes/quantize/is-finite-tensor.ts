import { DataType } from '../../tensor/data-type.ts';
import type { Tensor, TensorData } from '../../tensor/tensor.ts';

const remembered = new WeakMap<TensorData, boolean>();

/** False where a float32 tensor holds NaN or an infinity, which no integers stand for. Looked up once per tensor. */
export function isFiniteTensor(tensor: Tensor): boolean {
  let known = remembered.get(tensor.data);
  if (known === undefined) {
    known = tensor.dataType === DataType.float32 ? arePatternsFinite(tensor.bytes()) : allFinite(tensor.toFloat32());
    remembered.set(tensor.data, known);
  }
  return known;
}

/** Of little-endian float32 patterns, which need not be aligned: an exponent of all ones stands for NaN and infinities. */
function arePatternsFinite(bytes: Uint8Array): boolean {
  for (let i = 3; i < bytes.length; i += 4) {
    if ((bytes[i]! & 0x7f) === 0x7f && bytes[i - 1]! >= 0x80) return false;
  }
  return true;
}

function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}
